using System.Text;
using Crust.Spec;
using Crust.Tests.Cli;
using Crust.Tests.Formats;
using Crust.Tests.Registries;
using Crust.Trees;

namespace Crust.Tests.Sysexts;

/// <summary>Extensions from an image in a registry that wants a login and has a certificate of an authority of its own.</summary>
[CancelAfter(120_000)]
public sealed class SysextRegistryTests
{
    private string _folder = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void SetUp() => _folder = Directory.CreateTempSubdirectory("crust-pull-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task An_image_is_pulled_with_the_login_and_the_authority_that_the_options_name()
    {
        await using var registry = await LocalRegistry.StartAsync(wantsLogin: true, await RegistryFaultTests.MakeCertificateAsync(_folder), Cancellation);
        var image = await PushAsync(registry);
        string[] login = ["--auth-file", await LogInAsync(registry)], authority = ["--cert-dir", Path.Combine(_folder, "trusted")];

        var built = await RunAsync("build", image, [.. login, .. authority]);
        var converted = await RunAsync("convert oci-rootfs", image, [.. login, .. authority]);
        var withoutAuthority = await RunAsync("build", image, login);
        var withoutLogin = await RunAsync("build", image, authority);

        Assert.That((built.Code, built.Output), Is.EqualTo((0, built.Output)), built.Error);
        Assert.That(built.Output, Does.EndWith("/tool.raw\n"));
        Assert.That(converted.Code, Is.Zero, converted.Error);
        Assert.That((withoutAuthority.Code, withoutAuthority.Error), Is.EqualTo((5, withoutAuthority.Error)));
        Assert.That(withoutAuthority.Error, Does.Contain($"The certificate of the registry {registry.Host} isn't trusted"));
        Assert.That(withoutLogin.Code, Is.Not.Zero);
        Assert.That(withoutLogin.Error, Does.Contain("log").And.Contain("to do: ").And.Not.Contain("secret"));
    }

    private Task<CommandLineRun> RunAsync(string command, string image, string[] options) =>
        CommandLineRun.OfAsync(["sysext", .. command.Split(' '), image, .. options, "--output", Path.Combine(_folder, "out")]);

    private async Task<string> PushAsync(LocalRegistry registry)
    {
        var layer = Path.Combine(_folder, "layer.tar");
        await using (var file = File.Create(layer))
        {
            await FileTree.Empty.With(TreeEntry.File("usr/bin/tool", TreeContent.Of("#!/bin/sh\n"), TreeEntry.Executable)).WriteTarAsync(file, 0, Cancellation);
        }

        var layout = OciSample.Write(Directory.CreateDirectory(Path.Combine(_folder, "layout")).FullName, (Arch.Amd64, [layer]));
        var image = $"docker://{registry.Host}/edge/tool:1.0";
        await SampleImages.RunAsync("skopeo", "--insecure-policy", "copy", "--quiet", "--all", "--dest-tls-verify=false", $"--dest-creds={LocalRegistry.Login}", $"oci:{layout}", image);
        return image;
    }

    private async Task<string> LogInAsync(LocalRegistry registry)
    {
        var path = Path.Combine(_folder, "auth.json");
        await File.WriteAllTextAsync(path, $$$$"""{"auths":{"{{{{registry.Host}}}}":{"auth":"{{{{Convert.ToBase64String(Encoding.UTF8.GetBytes(LocalRegistry.Login))}}}}"}}}""", Cancellation);
        return path;
    }
}
