using System.Text.Json.Nodes;

namespace Crust.Tests.Cli;

public sealed class CheckOnlyTests
{
    private string _folder = null!;

    [SetUp]
    public void SetUp() => _folder = Directory.CreateTempSubdirectory("crust-check-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task A_seed_without_findings_is_fine() =>
        Assert.That(await RunAsync("#cloud-config\nhostname: edge\n"), Is.EqualTo(new CommandLineRun(0, "crust: the seed is fine: 1 file checked\n", "")));

    [Test]
    public async Task Every_finding_is_told_as_compilers_do_and_errors_end_with_2() =>
        Assert.That(await RunAsync("#cloud-config\ninstall:\n  devcie: auto\nusers:\n- name: edge\n  groups: [admin]\n", "--seed-profile", "kairos"), Is.EqualTo(new CommandLineRun(2, "crust: the seed can't be built with: 1 error, 1 warning\n", $"""
            {_folder}/user-data.yaml:3:3: error: There is no key 'install.devcie' (unknown-key)
              to do: did you mean 'device'?
            {_folder}/user-data.yaml:5:9: warning: Nobody can log in as 'edge' (no-login)
              to do: give SSH_PASSWORD or seed.ssh.authorizedKeys, or in your file ssh_authorized_keys or a password's hash

            """)));

    [Test]
    public async Task Warnings_end_with_0_unless_it_is_strict()
    {
        const string Document = "#cloud-config\nusers:\n- name: edge\n";

        var (lax, strict, ignoring) = (await RunAsync(Document), await RunAsync(Document, "--strict"), await RunAsync(Document, "--strict", "--seed-ignore", "no-login"));

        Assert.That((lax.Code, strict.Code, ignoring.Code), Is.EqualTo((0, 2, 0)));
        Assert.That(lax.Output, Is.EqualTo("crust: the seed can be built with: 1 warning\n"));
        Assert.That(strict.Error, Does.Contain(": error: Nobody can log in as 'edge' (no-login)\n"));
    }

    [Test]
    public async Task As_JSON_it_is_one_document()
    {
        var run = await RunAsync("#cloud-config\ninstall:\n  devcie: auto\n", "--json", "--seed-profile", "kairos");

        var json = JsonNode.Parse(run.Output)!;
        Assert.That((run.Code, json["fine"]!.GetValue<bool>(), json["kind"]!.GetValue<string>(), json["profile"]!.GetValue<string>(), json["errors"]!.GetValue<int>(), json["warnings"]!.GetValue<int>()),
            Is.EqualTo((2, false, "nocloud", "kairos", 1, 1)), "the warning is of nobody in the group admin");
        Assert.That(json["findings"]![0]!.ToJsonString(), Is.EqualTo(new JsonObject
        {
            ["severity"] = "error",
            ["rule"] = "unknown-key",
            ["what"] = "There is no key 'install.devcie'",
            ["remedy"] = "did you mean 'device'?",
            ["source"] = $"{_folder}/user-data.yaml",
            ["line"] = 3,
            ["column"] = 3,
        }.ToJsonString()));
    }

    [Test]
    public async Task A_file_that_isnt_YAML_is_told_in_the_same_way()
    {
        var run = await RunAsync("#cloud-config\nhostname: [edge\n", "--json");

        Assert.That(run.Error, Is.EqualTo($"{_folder}/user-data.yaml:2:11: error: This isn't YAML: a list in [ ] or a mapping in {{ }} isn't closed (yaml)\n  to do: close it\n"));
        Assert.That(JsonNode.Parse(run.Output)!["findings"]![0]!["rule"]!.GetValue<string>(), Is.EqualTo("yaml"));
    }

    [Test]
    public async Task A_spec_that_is_wrong_is_told_in_the_same_way()
    {
        var spec = Path.Combine(_folder, "crust.yaml");
        await File.WriteAllTextAsync(spec, "seed:\n  userDatum: x\n");

        var run = await CommandLineRun.OfAsync("build", "--check-only", spec);

        Assert.That((run.Code, run.Output, run.Error), Is.EqualTo((2, "crust: the seed can't be built with: 1 error\n", $"{spec}:2:3: error: There is no key 'seed.userDatum' (spec)\n  to do: did you mean 'seed.userData'?\n")));
    }

    [TestCase(0, "warning")]
    [TestCase(2, "error", "--strict")]
    public async Task A_secret_in_the_spec_file_is_told_but_not_shown(int code, string severity, params string[] options)
    {
        var spec = Path.Combine(_folder, "crust.yaml");
        await File.WriteAllTextAsync(spec, "seed:\n  ssh:\n    user: edge\n    password: hunter2\n");

        var run = await CommandLineRun.OfAsync(["build", "--check-only", "--json", spec, .. options]);

        Assert.That((run.Code, run.Error), Is.EqualTo((code, $"{spec}:4:15: {severity}: The secret seed.ssh.password stands in the spec file, which others may read (secret-in-spec)\n  to do: give it in SSH_PASSWORD\n")));
        Assert.That(JsonNode.Parse(run.Output)!["findings"]![0]!["rule"]!.GetValue<string>(), Is.EqualTo("secret-in-spec"));
        Assert.That(run.Output, Does.Not.Contain("hunter2"));
    }

    private async Task<CommandLineRun> RunAsync(string userData, params string[] options)
    {
        var path = Path.Combine(_folder, "user-data.yaml");
        await File.WriteAllTextAsync(path, userData);
        return await CommandLineRun.OfAsync(["build", "--check-only", "--iso", Path.Combine(_folder, "vendor.iso"), "--user-data", path, .. options]);
    }
}
