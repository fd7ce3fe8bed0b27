using System.Diagnostics;

namespace Crust.Tests.Machine.Boards;

/// <summary>
/// Debian 13's own kernel for arm64 on the one Raspberry Pi that Debian 12's QEMU emulates (raspi3b), up to a shell that answers. This shows the start of the kernel, not that of the firmware.
/// </summary>
[Category("Long")]
[CancelAfter(900_000)]
public sealed class Pi3ShellTests
{
    private readonly string _folder = Directory.CreateTempSubdirectory("crust-pi3-").FullName;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [OneTimeTearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task Debians_kernel_starts_on_a_raspberry_pi_3_up_to_a_shell_that_answers()
    {
        await Host.RunAsync("sh", ["-ec", """
            mmdebstrap --quiet --variant=extract --architectures=arm64 --include=linux-image-arm64,busybox-static trixie root.tar
            mkdir root parts
            tar -xf root.tar -C root --wildcards './boot/vmlinuz-*' '*/bcm2837-rpi-3-b.dtb' '*/bin/busybox'
            cp root/boot/vmlinuz-* kernel
            cp $(find root -name bcm2837-rpi-3-b.dtb | head -n 1) board.dtb
            cp $(find root -name busybox -type f | head -n 1) parts/busybox
            printf '#!/busybox sh\n/busybox mkdir /proc\n/busybox mount -t proc proc /proc\necho "kernel $(/busybox uname -r)"\nexec /busybox sh -i\n' >parts/init
            chmod +x parts/init
            (cd parts && find . | cpio -o -H newc --quiet | gzip -1) >initramfs
            rm -rf root root.tar parts
            """], _folder, Cancellation);
        // The first port of this board is that of its Bluetooth. It can't switch itself off.
        using var guest = Process.Start(new ProcessStartInfo("qemu-system-aarch64",
        [
            "-machine", "raspi3b", "-m", "1G", "-no-user-config", "-nodefaults", "-display", "none", "-serial", "null", "-serial", "stdio", "-monitor", "none",
            "-kernel", "kernel", "-dtb", "board.dtb", "-initrd", "initramfs", "-append", "console=ttyS1,115200 panic=-1 rdinit=/init",
        ])
        { WorkingDirectory = _folder, RedirectStandardInput = true, RedirectStandardOutput = true })!;
        try
        {
            Assert.That(await UntilAsync(guest, "kernel "), Does.Match(@"^kernel 6\.\d+\.\d+.*-arm64$"));
            await guest.StandardInput.WriteAsync("echo answer $((6 * 7))\n");
            await guest.StandardInput.FlushAsync(Cancellation);
            Assert.That(await UntilAsync(guest, "answer 4"), Is.EqualTo("answer 42"));
        }
        finally
        {
            guest.Kill();
            await guest.WaitForExitAsync(CancellationToken.None);
        }
    }

    private static async Task<string> UntilAsync(Process guest, string start)
    {
        while (await guest.StandardOutput.ReadLineAsync(Cancellation) is { } line)
        {
            await TestContext.Out.WriteLineAsync(line);
            if (line.StartsWith(start, StringComparison.Ordinal))
            {
                return line.TrimEnd('\r');
            }
        }

        return "the guest ended";
    }
}
