using Crust.Tests.Machine.Guests;

namespace Crust.Tests.Machine.Seeds;

/// <summary>
/// Debian's real installer, from Debian's own package of it, with a preseed file: it can't install without packages of its own that aren't served everywhere, but it shows what it
/// was answered, and ends by the answer that Crust adds.
/// </summary>
[CancelAfter(600_000)]
[Parallelizable(ParallelScope.Self)]
public sealed class PreseedTests
{
    private const string Package = "debian-installer-12-netboot-amd64";
    private const string Images = "usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64";

    // Runs before the first question, and ends the installer by its own way out.
    private const string Preseed = """
        d-i debian-installer/locale string en_US.UTF-8
        d-i netcfg/get_domain string edge.example.org
        d-i preseed/early_command string \
          for question in netcfg/get_domain netcfg/hostname passwd/username debian-installer/exit/poweroff debconf/priority; do \
            echo "answer: $question=$(debconf-get $question)"; \
          done >/dev/ttyS0; \
          /lib/debian-installer/exit
        """;

    private readonly CrustProcess _crust = new();

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [OneTimeTearDown]
    public void RemoveFiles() => _crust.Dispose();

    [Test]
    public async Task Debians_installer_takes_the_answers_from_its_initramfs_and_powers_off_because_of_them()
    {
        var file = Path.Combine(_crust.Folder, "preseed.cfg");
        await File.WriteAllTextAsync(file, Preseed, Cancellation);

        var result = await _crust.RunAsync(Cancellation, "build", "--iso", await IsoAsync(), "--seed-kind", "preseed", "--user-data", file, "--hostname", "edge-1", "--ssh-user", "edge",
            "--memory", "1G", "--disk-size", "64M", "--format", "img");

        var serial = await File.ReadAllTextAsync(Directory.GetFiles(_crust.Images, "*.serial.log").Single(), Cancellation);
        Assert.That(serial.Replace("\r", "").Split('\n').Where(line => line.StartsWith("answer: ", StringComparison.Ordinal)), Is.EqualTo(new[]
        {
            "answer: netcfg/get_domain=edge.example.org",
            "answer: netcfg/hostname=edge-1",
            "answer: passwd/username=edge",
            "answer: debian-installer/exit/poweroff=true",
            "answer: debconf/priority=critical",
        }));
        // Without the answer, it would have been a reset.
        Assert.That((result.ExitCode, result.Error), Is.EqualTo((4, result.Error)));
        Assert.That(result.Error, Does.Contain("The installer powered off without having installed anything"));
    }

    // An ISO as Debian lays it out, with a boot loader that nobody needs.
    private async Task<string> IsoAsync()
    {
        var work = Directory.CreateDirectory(Path.Combine(_crust.Folder, "debian")).FullName;
        var tar = Path.Combine(work, "package.tar");
        // With package lists of its own: those of this host may be old, or not there.
        await Host.RunAsync("mmdebstrap", ["--mode=auto", "--variant=extract", "--architectures=amd64", $"--include={Package}", "--format=tar", "bookworm", tar], Cancellation);
        await Host.RunAsync("tar", ["-xf", tar, "-C", work, $"./{Images}"], Cancellation);
        var stub = await StubGuests.IsoAsync(StubGuest.NotBootable, work, Cancellation);
        await Host.RunAsync("xorriso", ["-osirrox", "on", "-indev", stub, "-extract_single", "/boot.bin", Path.Combine(work, "boot.bin")], Cancellation);
        var iso = Path.Combine(_crust.Folder, "debian-12.iso");
        await Host.RunAsync("xorriso",
        [
            "-as", "mkisofs", "-quiet", "-r", "-V", "Debian 12 amd64", "-o", iso, "-c", "boot.cat", "-b", "boot.bin", "-no-emul-boot", "-boot-load-size", "4", "-graft-points",
            $"boot.bin={work}/boot.bin", $"install.amd/vmlinuz={work}/{Images}/linux", $"install.amd/initrd.gz={work}/{Images}/initrd.gz",
        ], Cancellation);
        Directory.Delete(work, recursive: true);
        return iso;
    }
}
