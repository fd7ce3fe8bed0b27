using System.Collections.Immutable;
using System.Diagnostics;
using Crust.Attestation;
using Crust.Spec;
using Crust.Storage;
using Crust.Sysexts;
using Crust.Tools;
using Serilog;

namespace Crust.Tests.Sysexts;

/// <summary>Folders from which machines update. systemd-sysupdate itself reads one in the tests of machines.</summary>
[CancelAfter(60_000)]
public sealed class SysextIndexTests
{
    private static readonly Uri Url = new("https://extensions.example.org/stable/");

    private string _folder = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    private string Extensions => Path.Combine(_folder, "extensions");

    private ToolBox Tools => new(HostEnvironment.Read().SearchPath, Log.Logger)
    {
        Environment = ImmutableDictionary<string, string>.Empty.Add("GNUPGHOME", Path.Combine(_folder, "gpg")).Add("PATH", Environment.GetEnvironmentVariable("PATH")!),
    };

    [SetUp]
    public void MakeFolder()
    {
        _folder = Directory.CreateTempSubdirectory("crust-index-").FullName;
        Directory.CreateDirectory(Extensions);
        Directory.CreateDirectory(Path.Combine(_folder, "gpg"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    [TearDown]
    public async Task RemoveFolder()
    {
        await Tools.RunAsync(ToolCommand.Of("gpgconf", "--homedir", Path.Combine(_folder, "gpg"), "--kill", "gpg-agent"), Cancellation);
        Directory.Delete(_folder, recursive: true);
    }

    [TestCase("docker-28.0.4-x86-64.raw", "docker", "28.0.4", Arch.Amd64, "28.0")]
    [TestCase("docker-compose-2.34.0-arm64.raw", "docker-compose", "2.34.0", Arch.Arm64, "2.34")]
    [TestCase("k3s-v1.34.1+k3s1-x86-64.raw", "k3s", "v1.34.1+k3s1", Arch.Amd64, "v1.34")]
    [TestCase("agent-7-x86-64.sysext.raw", "agent", "7", Arch.Amd64, null)]
    public void A_name_tells_the_extension_its_version_and_its_architecture(string fileName, string name, string version, Arch arch, string? minor)
    {
        var file = SysextFile.Of(fileName);

        Assert.That((file?.Name, file?.Version, file?.Arch, file?.Minor, file?.FileName), Is.EqualTo((name, version, arch, minor, fileName)));
    }

    [TestCase("docker.raw")]
    [TestCase("docker-28.0.4.raw")]
    [TestCase("docker-28.0.4-amd64.raw")]
    [TestCase("docker-latest-x86-64.raw")]
    public void Another_name_tells_nothing(string fileName) => Assert.That(SysextFile.Of(fileName), Is.Null);

    [Test]
    public async Task The_list_has_every_extension_and_coreutils_agree_with_it()
    {
        Add("docker-28.0.4-x86-64.raw", "docker-28.1.0-x86-64.raw", "k3s-v1.34.1+k3s1-arm64.raw");

        var result = await IndexAsync();

        Assert.That(result.Files.Select(entry => entry.File.FileName), Is.EqualTo(new[] { "docker-28.0.4-x86-64.raw", "docker-28.1.0-x86-64.raw", "k3s-v1.34.1+k3s1-arm64.raw" }));
        Assert.That(File.ReadLines(Place(SysextIndex.ListName)).Count(), Is.EqualTo(3));
        using var check = Process.Start(new ProcessStartInfo("sha256sum", ["--strict", "--check", SysextIndex.ListName]) { WorkingDirectory = Extensions, RedirectStandardOutput = true })!;
        await check.WaitForExitAsync(Cancellation);
        Assert.That(check.ExitCode, Is.Zero);
    }

    [Test]
    public async Task Each_extension_has_a_definition_for_old_and_new_systemd_and_Kubernetes_one_that_stays_on_its_minor_version()
    {
        Add("docker-28.0.4-x86-64.raw", "k3s-v1.33.5+k3s1-x86-64.raw", "k3s-v1.34.1+k3s1-x86-64.raw");

        var result = await IndexAsync();

        Assert.That(result.Written.Order(StringComparer.Ordinal), Is.EqualTo(new[]
        {
            "SHA256SUMS", "docker.conf", "docker.transfer", "k3s-v1.33.conf", "k3s-v1.33.transfer", "k3s-v1.34.conf", "k3s-v1.34.transfer", "k3s.conf", "k3s.transfer", "noop.conf", "noop.transfer",
        }));
        Assert.That(await ReadAsync("k3s-v1.34.transfer"), Is.EqualTo("""
            [Transfer]
            Verify=no

            [Source]
            Type=url-file
            Path=https://extensions.example.org/stable/
            MatchPattern=k3s-v1.34.@v-%a.raw

            [Target]
            Type=regular-file
            Path=/opt/extensions/k3s
            MatchPattern=k3s-v1.34.@v-%a.raw
            CurrentSymlink=/etc/extensions/k3s.raw
            Mode=0644
            InstancesMax=3

            """));
        Assert.That(await ReadAsync("docker.conf"), Is.EqualTo(await ReadAsync("docker.transfer")).And.Contain("MatchPattern=docker-@v-%a.raw\n"));
    }

    [Test]
    public async Task A_signed_list_is_demanded_by_the_definitions_and_GnuPG_agrees_with_its_signature()
    {
        Add("docker-28.0.4-x86-64.raw");
        await Tools.RunAsync(ToolCommand.Of("gpg", "--homedir", Path.Combine(_folder, "gpg"), "--batch", "--passphrase", "", "--quick-gen-key", "edge@example.org", "ed25519", "sign", "never"), Cancellation);

        var result = await IndexAsync(new SignSpec { GpgKey = "edge@example.org" });

        Assert.That(result.Key, Has.Length.EqualTo(40));
        Assert.That(await ReadAsync("docker.transfer"), Does.Contain("Verify=yes\n"));
        Assert.That(async () => await Tools.RunAsync(ToolCommand.Of("gpg", "--homedir", Path.Combine(_folder, "gpg"), "--batch", "--verify", Place(SysextIndex.SignatureName), Place(SysextIndex.ListName)), Cancellation), Throws.Nothing);
    }

    [Test]
    public async Task An_index_that_is_not_signed_any_more_keeps_no_old_signature()
    {
        Add("docker-28.0.4-x86-64.raw");
        await File.WriteAllTextAsync(Place(SysextIndex.SignatureName), "a signature of an older list", Cancellation);

        await IndexAsync();

        Assert.That(File.Exists(Place(SysextIndex.SignatureName)), Is.False);
    }

    [Test]
    public async Task What_was_published_before_stays_listed_and_what_is_here_has_its_own_sum()
    {
        Add("docker-28.1.0-x86-64.raw");
        var previous = Path.Combine(_folder, "previous");
        await File.WriteAllTextAsync(previous, $"{new string('a', 64)}  docker-28.0.4-x86-64.raw\n{new string('b', 64)} *docker-28.1.0-x86-64.raw\n", Cancellation);

        await IndexAsync(previous: previous);

        var lines = await File.ReadAllLinesAsync(Place(SysextIndex.ListName), Cancellation);
        Assert.That(lines[0], Is.EqualTo($"{new string('a', 64)}  docker-28.0.4-x86-64.raw"));
        Assert.That(lines[1], Does.EndWith("  docker-28.1.0-x86-64.raw").And.Not.StartWith("bbbb"));
    }

    [Test]
    public void A_key_that_cannot_sign_leaves_the_folder_as_it_was()
    {
        Add("docker-28.0.4-x86-64.raw");
        File.WriteAllText(Place(SysextIndex.ListName), "the list of yesterday\n");

        Assert.That(async () => await IndexAsync(new SignSpec { GpgKey = "stranger@example.org" }), Throws.TypeOf<CrustException>().With.Property("What").Contains("The key can't sign"));

        Assert.That(Directory.GetFileSystemEntries(Extensions).Select(Path.GetFileName).Order(StringComparer.Ordinal), Is.EqualTo(new[] { "SHA256SUMS", "docker-28.0.4-x86-64.raw" }));
        Assert.That(File.ReadAllText(Place(SysextIndex.ListName)), Is.EqualTo("the list of yesterday\n"));
    }

    [Test]
    public void A_folder_without_extensions_is_refused() => Refuses("There is no system extension in the folder");

    [Test]
    public void A_name_without_a_version_is_refused()
    {
        Add("docker.raw");

        Refuses("The name of a system extension has no version, so nothing could be updated to it");
    }

    [Test]
    public void Two_endings_of_one_extension_are_refused()
    {
        Add("docker-28.0.4-x86-64.raw", "docker-28.1.0-x86-64.sysext.raw");

        Refuses("The files of docker end in .raw and in .sysext.raw: no pattern fits both");
    }

    [Test]
    public void An_OpenSSH_key_is_refused()
    {
        Add("docker-28.0.4-x86-64.raw");

        Refuses("systemd-sysupdate checks GPG's signatures only, and this is an OpenSSH key", new SignSpec { Key = "id_ed25519" });
    }

    private void Refuses(string what, SignSpec? sign = null) =>
        Assert.That(async () => await IndexAsync(sign), Throws.TypeOf<CrustException>().With.Property("What").EqualTo(what).And.Property("Kind").EqualTo(FailureKind.BadInput));

    private Task<IndexResult> IndexAsync(SignSpec? sign = null, string? previous = null) =>
        new SysextIndex(new Signer(Tools, Folders())).WriteAsync(new IndexRequest(Extensions, Url, sign ?? new SignSpec(), SysextIndex.UsuallyPinned, previous), Cancellation);

    private Folders Folders() => new() { Images = _folder, Cache = Path.Combine(_folder, "cache"), Runtime = _folder, Builder = _folder };

    private void Add(params string[] names)
    {
        foreach (var name in names)
        {
            File.WriteAllText(Place(name), name);
        }
    }

    private string Place(string name) => Path.Combine(Extensions, name);

    private Task<string> ReadAsync(string name) => File.ReadAllTextAsync(Place(name), Cancellation);
}
