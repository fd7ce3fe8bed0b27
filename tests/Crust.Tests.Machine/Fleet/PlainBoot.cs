using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;

namespace Crust.Tests.Machine.Fleet;

/// <summary>Boots an image by QEMU alone, as an operator does. Crust itself opens no image that names another file, which an overlay does.</summary>
internal static class PlainBoot
{
    /// <summary>Boots it under BIOS until its serial port has shown what a pattern matches, and gives all that it has shown. The image isn't changed.</summary>
    public static async Task<string> SerialOfAsync(string image, string format, Regex until, CancellationToken cancellation)
    {
        string[] arguments =
        [
            "-machine", "q35,accel=tcg", "-cpu", "max", "-m", "1024", "-no-user-config", "-nodefaults", "-display", "none", "-serial", "stdio", "-snapshot",
            "-drive", $"file={image},format={format},if=virtio",
        ];
        using var qemu = Process.Start(new ProcessStartInfo("qemu-system-x86_64", arguments) { RedirectStandardOutput = true })!;
        try
        {
            var serial = new StringBuilder();
            var buffer = new char[4096];
            while (!until.IsMatch(serial.ToString()))
            {
                var read = await qemu.StandardOutput.ReadAsync(buffer, cancellation);
                Assert.That(read, Is.Positive, $"QEMU ended: {serial}");
                serial.Append(buffer, 0, read);
            }

            return serial.ToString();
        }
        finally
        {
            qemu.Kill();
            await qemu.WaitForExitAsync(CancellationToken.None);
        }
    }
}
