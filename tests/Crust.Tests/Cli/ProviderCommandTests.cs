using System.Text.Json;

namespace Crust.Tests.Cli;

/// <summary>`crust provider` without a registry: what it says before anything is fetched.</summary>
public sealed class ProviderCommandTests
{
    private string _folder = null!;

    [SetUp]
    public void SetUp() => _folder = Directory.CreateTempSubdirectory("crust-provider-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task A_dry_run_says_where_the_images_of_a_CanvOS_folder_would_go_and_what_it_has_found()
    {
        var run = await RunAsync("IMAGE_REGISTRY=registry.example.com\nOS_DISTRIBUTION=ubuntu\nOS_VERSION=22.04\nK8S_DISTRIBUTION=kubeadm\nK8S_VERSION=1.36.4\nPE_VERSION=v4.6.1\nBRANDING=My Edge\n", "--dry-run", "--json");

        Assert.That(run.Code, Is.Zero, run.Error);
        Assert.That(run.Error, Does.Contain("BRANDING is 'My Edge' to Earthly").And.Contain("There is no user-data"));
        using var json = JsonDocument.Parse(run.Output);
        Assert.That(json.RootElement.GetProperty("images")[0].GetProperty("reference").GetString(), Is.EqualTo("registry.example.com/ubuntu:kubeadm-1.36.4-v4.6.1"));
    }

    [Test]
    public async Task What_cannot_be_built_ends_with_2_and_names_the_line()
    {
        var run = await RunAsync("IMAGE_REGISTRY=registry.example.com\nIS_UKI=true\n", "--dry-run");

        Assert.That((run.Code, run.Output), Is.EqualTo((2, "")));
        Assert.That(run.Error, Does.Contain(".arg:2, IS_UKI"));
    }

    [Test]
    public async Task Two_files_are_refused()
    {
        var run = await RunAsync("", "provider.yaml");

        Assert.That(run.Code, Is.EqualTo(2));
        Assert.That(run.Error, Does.Contain("Two files say what the images are made of"));
    }

    private async Task<CommandLineRun> RunAsync(string arg, params string[] more)
    {
        var path = Path.Combine(_folder, ".arg");
        await File.WriteAllTextAsync(path, arg);
        return await CommandLineRun.OfAsync(["provider", "--arg-file", path, .. more]);
    }
}
