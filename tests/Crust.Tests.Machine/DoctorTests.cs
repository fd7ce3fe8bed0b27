using System.Text.Json.Nodes;
using Crust.Tests.Machine.Guests;

namespace Crust.Tests.Machine;

/// <summary>`crust doctor`, and the preflight of builds, on this very host and on what is made of it.</summary>
[CancelAfter(120_000)]
[Parallelizable(ParallelScope.All)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class DoctorTests : IDisposable
{
    private readonly CrustProcess _crust = new();

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    public void Dispose() => _crust.Dispose();

    [Test]
    public async Task This_host_can_build_the_reference_system_and_looking_changes_nothing()
    {
        _crust.ShareDearThings();
        var result = await DoctorAsync("--accel", "tcg", "--memory", "512M", "--format", "img,vmdk", "--json");

        Assert.That((result.ExitCode, result.Error), Is.EqualTo((0, "")));
        var document = JsonNode.Parse(result.Output)!;
        Assert.That(document["canBuild"]!.GetValue<bool>(), Is.True);
        Assert.That(document["accelerator"]!.GetValue<string>(), Is.EqualTo("tcg"));
        Assert.That(document["summary"]!.GetValue<string>(), Does.StartWith("This host can build crust-reference (img, vmdk) with tcg"));
        Assert.That(document["checks"]!.AsArray().Single(check => check!["name"]!.GetValue<string>() == "qemu-system-x86_64")!["what"]!.GetValue<string>(), Does.Match(@"^\d+\.\d+.*: runs the machine$"));
        Assert.That(Directory.Exists(_crust.Images), Is.False);
    }

    [Test]
    public async Task Where_nothing_is_installed_all_of_it_is_named_with_one_command()
    {
        RequireRoot();
        using var bare = new CrustProcess { Before = Bare };

        var result = await bare.RunAsync(Cancellation, "doctor");

        Assert.That(result.ExitCode, Is.EqualTo(3), result.Error);
        Assert.That(result.Error, Is.Empty);
        Assert.That(result.Output, Does.Contain("PROBLEM  xorriso").And.Contain("PROBLEM  setpriv").And.Contain("Whether KVM works can't be determined without qemu-system-x86_64"));
        Assert.That(result.Output, Does.Contain("To install all that is missing: apt-get install kmod mmdebstrap mtools qemu-system-x86 qemu-utils squashfs-tools util-linux xorriso zstd\n"));
        Assert.That(result.Output, Does.Match(@"\nThis host can't build crust-reference \(img\); 1\d problems: .*\n$"));
    }

    [Test]
    public async Task A_build_where_nothing_is_installed_tells_all_at_once()
    {
        RequireRoot();
        using var bare = new CrustProcess { Before = Bare };
        var iso = await StubGuests.IsoAsync(StubGuest.Installs, _crust.Folder, Cancellation);

        var result = await bare.RunAsync(Cancellation, "build", "--iso", iso, "--format", "img");

        Assert.That((result.ExitCode, result.Output), Is.EqualTo((3, "")), result.Error);
        Assert.That(result.Error, Does.Contain("crust: 4 things keep this host from building it\n  where: qemu-system-x86_64, qemu-img, xorriso, setpriv\n")
            .And.Contain("  to do: install what is missing: apt-get install qemu-system-x86 qemu-utils util-linux xorriso\n")
            .And.Not.Contain("   at Crust."));
    }

    [Test]
    public async Task More_memory_than_this_host_has_keeps_it_from_building() =>
        Says(await DoctorAsync("--accel", "tcg", "--memory", "16T"), 3, "PROBLEM  memory", "doesn't fit", "set machine.memory (--memory) to", "1 problem: memory\n");

    [Test]
    public async Task An_images_folder_on_a_read_only_file_system_keeps_it_from_building()
    {
        using var file = await SmallFileSystem.MountAsync(_crust.Images, "1G", Cancellation);
        await Host.RunAsync("mount", ["-o", "remount,ro", _crust.Images], Cancellation);

        Says(await DoctorAsync("--accel", "tcg", "--memory", "512M"), 3, "PROBLEM  images", "Read-only file system", "choose another with --output", "1 problem: images\n");
    }

    [Test]
    public async Task A_file_in_the_place_of_the_cache_is_told_without_a_stack_trace()
    {
        await File.WriteAllTextAsync(_crust.Cache, "", Cancellation);
        var iso = await StubGuests.IsoAsync(StubGuest.Installs, _crust.Folder, Cancellation);

        Says(await DoctorAsync("--accel", "tcg", "--memory", "512M", "--iso", iso), 3, "PROBLEM  cache", "set CRUST_CACHE to a folder that is", "1 problem: cache\n");

        var build = await _crust.RunAsync(Cancellation, "build", "--accel", "tcg", "--memory", "512M", "--iso", iso, "--format", "img");
        Assert.That((build.ExitCode, build.Error.Contains("   at Crust.", StringComparison.Ordinal)), Is.EqualTo((3, false)), build.Error);
    }

    [Test]
    public async Task A_spec_that_is_wrong_is_bad_input()
    {
        var result = await DoctorAsync("--iso", "none.iso");

        Assert.That((result.ExitCode, result.Output), Is.EqualTo((2, "")));
        Assert.That(result.Error, Does.Contain("There is no such ISO"));
    }

    [Test]
    public async Task After_a_build_nothing_is_needed_any_more()
    {
        var iso = await StubGuests.IsoAsync(StubGuest.Installs, _crust.Folder, Cancellation);
        string[] options = ["--iso", iso, "--disk-size", "64M", "--memory", "256M", "--accel", "tcg"];
        var build = await _crust.RunAsync(Cancellation, ["build", .. options, "--format", "img"]);
        Assert.That(build.ExitCode, Is.Zero, build.Error);

        options = [.. options, "--trim", "false"];
        Says(await DoctorAsync([.. options, "--format", "img"]), 0, "none needed: the images are up to date", "This host can build");
        Says(await DoctorAsync([.. options, "--format", "img,vmdk"]), 0, "needed for vmdk; ", "This host can build");
    }

    // Nothing is found where programs are; what Crust itself is made of is elsewhere.
    private static readonly string[] Bare =
    [
        "unshare", "-m", "sh", "-c",
        "for folder in /usr/local/sbin /usr/local/bin /usr/sbin /usr/bin; do mount -t tmpfs none $folder || exit 99; done; exec \"$@\"",
        "sh",
    ];

    private static void RequireRoot()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            Assert.Ignore("hiding the host's programs takes root");
        }

        Host.RequireMountNamespaces();
    }

    private static void Says(CrustResult result, int exitCode, params string[] texts)
    {
        Assert.That(result.ExitCode, Is.EqualTo(exitCode), result.Output + result.Error);
        Assert.That(result.Output + result.Error, Does.Not.Contain("   at Crust."), "no stack trace");
        foreach (var text in texts)
        {
            Assert.That(result.Output, Does.Contain(text));
        }
    }

    private Task<CrustResult> DoctorAsync(params string[] arguments) => _crust.RunAsync(Cancellation, ["doctor", .. arguments]);
}
