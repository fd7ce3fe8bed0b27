using System.Text.Json.Nodes;
using Crust.Tests.Installers;

namespace Crust.Tests.Machine.Layers;

/// <summary>A build with layers as a user runs it: the reference installer, an agent's files, a package of Debian's own format by the system's own apt, a recipe, an account, and a script.</summary>
[Parallelizable(ParallelScope.Self)]
[CancelAfter(1_800_000)]
[StartsEarly(4)]
public sealed class LayeredBuildTests
{
    private const string Verify = """{ ssh: { user: edge, key: id }, checks: ["cat /etc/agent.conf /etc/script-was-here", "systemctl is-active agent", "systemctl is-active hello", "sudo -n id -u", "test -z \"$(sudo grep ^edge: /etc/shadow | cut -d: -f2 | tr -d '!*')\"", "dpkg -s crust-sample", "test ! -e /usr/sbin/policy-rc.d"] }""";

    private readonly CrustProcess _crust = new() { CaresForDisks = true };
    private readonly LoopbackServer _upstream = new();

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [OneTimeTearDown]
    public void TearDown()
    {
        _upstream.Dispose();
        _crust.Dispose();
    }

    [Test]
    public async Task Layers_are_on_the_disk_that_boots_a_change_repeats_only_what_comes_after_it_and_a_failure_leaves_nothing()
    {
        _crust.ShareDearThings();
        await PrepareAsync();

        await WriteSpecAsync("first.sh", Verify);
        var first = await _crust.RunAsync(Cancellation, "build");
        Assert.That(first.ExitCode, Is.Zero, first.Error);
        var manifest = JsonNode.Parse(await File.ReadAllTextAsync(_crust.Image("layered.manifest.json"), Cancellation))!;
        var layers = manifest["install"]!["layers"]!.AsArray().Select(layer => $"{layer!["kind"]} {layer["source"]}");
        Assert.That(layers, Is.EqualTo(new[] { "files overlay", "packages crust-sample", "recipe hello", "users edge", "script first.sh" }));
        Assert.That(manifest["install"]!["layers"]![4]!["sha256"]!.ToString(), Is.EqualTo((await Host.RunAsync("sha256sum", [Path.Combine(_crust.Folder, "first.sh")], Cancellation))[..64]));
        Assert.That(await File.ReadAllTextAsync(_crust.Image("layered.provenance.json"), Cancellation), Does.Contain("layer/5/script").And.Contain((string)manifest["install"]!["layers"]![0]!["sha256"]!));
        Assert.That(await File.ReadAllTextAsync(_crust.Image("layered.sbom.spdx.json"), Cancellation), Does.Contain("crust-sample").And.Contain("SPDXRef-Layer-1-files"));
        Assert.That(await File.ReadAllTextAsync(_crust.Image("layered.report.html"), Cancellation), Does.Contain("layer 1, files"));
        Assert.That(await File.ReadAllTextAsync(_crust.Image("layered.log"), Cancellation), Does.Contain("layer 5 (script first.sh): first line of the script").And.Contain("crust-sample"));
        Assert.That((string)manifest["images"]![0]!["verified"]!["ssh"]!["checks"]![0]!["output"]!, Does.Contain("script was here"));

        var disks = Disks();
        var before = await File.ReadAllTextAsync(_crust.Image("SHA256SUMS"), Cancellation);
        await WriteSpecAsync("fails.sh");
        var fails = await _crust.RunAsync(Cancellation, "build");
        Assert.That(fails.ExitCode, Is.EqualTo(4));
        Assert.That(fails.Error, Does.Not.Contain("unpacking the operating system").And.Not.Contain("layer 1 (").And.Not.Contain("layer 4 ("), "what is below the change isn't repeated");
        Assert.That(fails.Error, Does.Contain("layer 5 (script fails.sh) failed: the script ended with exit code 3").And.Contain("the agent can't be configured").And.Contain("crust.yaml:"));
        Assert.That((Disks().Length, await File.ReadAllTextAsync(_crust.Image("SHA256SUMS"), Cancellation)), Is.EqualTo((disks.Length, before)));
    }

    private string[] Disks() => Directory.GetDirectories(Path.Combine(_crust.Cache, "disks")).Where(folder => !Path.GetFileName(folder).StartsWith('.')).ToArray();

    private async Task PrepareAsync()
    {
        await Host.RunAsync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", Path.Combine(_crust.Folder, "id")], Cancellation);
        Write("overlay/etc/agent.conf", "site: 42\n");
        Write("overlay/usr/local/sbin/agent", "#!/bin/sh\nexec sleep infinity\n", executable: true);
        Write("overlay/etc/systemd/system/agent.service", "[Unit]\nDescription=An agent\n[Service]\nExecStart=/usr/local/sbin/agent\n[Install]\nWantedBy=multi-user.target\n");
        Write("overlay/etc/apt/sources.list", "deb [trusted=yes] file:/opt/packages ./\n");
        Write("package/DEBIAN/control", "Package: crust-sample\nVersion: 1.0\nArchitecture: all\nMaintainer: nobody <nobody@example.com>\nDescription: a sample\n");
        Write("package/usr/share/crust-sample/here", "here\n");
        var packages = Directory.CreateDirectory(Path.Combine(_crust.Folder, "overlay/opt/packages")).FullName;
        await Host.RunAsync("dpkg-deb", ["--root-owner-group", "-b", Path.Combine(_crust.Folder, "package"), Path.Combine(packages, "crust-sample.deb")], Cancellation);
        var sum = (await Host.RunAsync("sha256sum", [Path.Combine(packages, "crust-sample.deb")], Cancellation))[..64];
        var control = await File.ReadAllTextAsync(Path.Combine(_crust.Folder, "package/DEBIAN/control"), Cancellation);
        Write("overlay/opt/packages/Packages", $"{control}Filename: ./crust-sample.deb\nSize: {new FileInfo(Path.Combine(packages, "crust-sample.deb")).Length}\nSHA256: {sum}\n");
        // Upstream's file by the recipe's sum, from a stand-in for upstream's server.
        var program = "#!/bin/sh\nexec sleep infinity\n"u8.ToArray();
        _upstream.Answer = request => LoopbackServer.File(request, program, null);
        Write("crust.mirrors.yaml", $"mirrors:\n  https://example.org/: {_upstream.Url("")}\n");
        Write("recipes/hello.yaml", $$"""
            name: hello
            summary: A sample
            homepage: https://example.org
            license: MIT
            downloads:
              hello: { url: 'https://example.org/{tag}/hello' }
            files:
              - { from: hello, to: /usr/bin/hello, mode: '755' }
            units:
              - { name: hello.service, text: "[Service]\nExecStart=/usr/bin/hello\n[Install]\nWantedBy=multi-user.target\n", wantedBy: multi-user.target }
            versions:
              1.2.3: { amd64: { hello: {{Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(program))}} } }
            """);
        Write("first.sh", "#!/bin/sh\nset -e\necho first line of the script\nsystemctl enable agent\necho script was here >/etc/script-was-here\n");
        Write("fails.sh", "#!/bin/sh\necho the agent can\\'t be configured >&2\nexit 3\n");
    }

    private Task WriteSpecAsync(string script, string verify = "{ boot: false }") => File.WriteAllTextAsync(Path.Combine(_crust.Folder, "crust.yaml"), $"""
        version: 1
        name: layered
        machine: {"{"} cpus: 1, disk: 4G, memory: 2G {"}"}
        layers:
          - files: overlay/
          - packages: [crust-sample]
          - recipe: hello
          - users: [{"{"} name: edge, keys: [id.pub], sudo: true {"}"}]
          - script: {script}
        formats: [img]
        verify: {verify}
        """, Cancellation);

    private void Write(string path, string content, bool executable = false)
    {
        var file = Path.Combine(_crust.Folder, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, content);
        if (executable)
            File.SetUnixFileMode(file, (UnixFileMode)0x1ed);
    }
}
