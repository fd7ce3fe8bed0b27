namespace Crust.Tests.Machine.Live;

/// <summary>An installer of Debian packages of one's own with a layer and a seed on the medium, installed in a machine without a network.</summary>
[CancelAfter(3_600_000)]
public sealed class DebianInstallerTests
{
    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [Test]
    [Category("Long")]
    public async Task A_build_makes_the_installer_and_the_disk_has_the_layer_and_what_the_medium_said()
    {
        using var crust = new CrustProcess { CaresForDisks = true };
        crust.ShareDearThings();
        Directory.CreateDirectory(Path.Combine(crust.Folder, "overlay", "etc"));
        await File.WriteAllTextAsync(Path.Combine(crust.Folder, "overlay", "etc", "issue"), "laid over \\n\n", Cancellation);
        await File.WriteAllTextAsync(Path.Combine(crust.Folder, "user-data"), "#cloud-config\nhostname: of-the-medium\ninstall: { auto: true, poweroff: true }\n", Cancellation);
        await File.WriteAllTextAsync(Path.Combine(crust.Folder, "installer.yaml"), """
            base: { debian: { suite: bookworm, packages: [linux-image-cloud-amd64] } }
            name: own-debian
            seed: { userData: user-data, ignore: [no-admin] }
            layers: [{ files: overlay }]
            """, Cancellation);
        await File.WriteAllTextAsync(Path.Combine(crust.Folder, "crust.yaml"), """
            installer: { build: installer.yaml }
            name: own
            machine: { disk: 8G, cpus: 1, network: none }
            seed: { kind: none }
            formats: [img]
            inspect: false
            tidy: none
            trim: false
            verify: { expect: 'laid over of-the-medium' }
            """, Cancellation);

        var build = await crust.RunAsync(Cancellation, "build");

        Assert.That((build.ExitCode, build.Output), Is.EqualTo((0, "images/own.img\n")), build.Error);
    }
}
