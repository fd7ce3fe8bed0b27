using System.Text.Json;

namespace Crust.Tests.Machine;

// A base image: the installed system's own qcow2.
public sealed partial class ReferenceTests
{
    [Test]
    [StartsEarly(3)]
    public async Task Its_own_qcow2_is_a_base_whose_images_boot_on_a_larger_disk_that_the_system_fills()
    {
        var spec = Path.Combine(Crust.Folder, "base.yaml");
        await File.WriteAllTextAsync(spec, $$"""
            version: 1
            name: from-base
            base: { image: images/crust-reference.qcow2 }
            machine: { disk: 7G, memory: 1G, firmware: uefi }
            formats: [img, vmdk]
            verify:
              ssh: { user: edge, key: id }
              checks:
                - cloud-init status --wait >/dev/null; test "$(df --output=size -BM / | tail -1 | tr -dc 0-9)" -gt 6200 && df -BM /
                - sudo sfdisk --verify /dev/vda
            """, Cancellation);

        var dry = await Crust.RunAsync(Cancellation, "build", spec, "--dry-run");
        var built = await Crust.RunAsync(Cancellation, "build", spec);

        Assert.That(dry.ExitCode, Is.Zero, dry.Error);
        Assert.That((built.ExitCode, built.Output), Is.EqualTo((0, "images/from-base.img\nimages/from-base.vmdk\n")), built.Error);
        using var manifest = JsonDocument.Parse(await File.ReadAllBytesAsync(Crust.Image("from-base.manifest.json"), Cancellation));
        Assert.That(manifest.RootElement.GetProperty("images").EnumerateArray().Select(image => image.GetProperty("verified").ValueKind), Is.All.EqualTo(JsonValueKind.Object));
        Assert.That(await File.ReadAllTextAsync(Crust.Image("from-base.sbom.spdx.json"), Cancellation), Does.Contain("Debian GNU/Linux 12"));
        Assert.That(await Host.RunAsync("sgdisk", ["-v", Crust.Image("from-base.img")], Cancellation), Does.Contain("No problems found"));
        await TestContext.Out.WriteLineAsync(dry.Output + built.Error);
    }
}
