using Crust.Isos;
using Crust.Tests.Installers;
using Crust.Tools;

namespace Crust.Tests.Isos;

public sealed class IsoCopyTests
{
    private readonly IsoSample _sample = new();

    [OneTimeTearDown]
    public void RemoveFiles() => _sample.Dispose();

    [TestCase("-r -J -c boot.cat -b boot/bios.img -no-emul-boot -boot-load-size 4 -boot-info-table")]
    [TestCase("-r -c boot/boot.cat -b boot/bios.img -no-emul-boot -boot-load-size 4 -eltorito-alt-boot -e boot/efi.img -no-emul-boot -isohybrid-gpt-basdat")]
    public async Task A_copy_has_all_files_and_those_that_were_put_in_and_boots_the_same_way(string options)
    {
        var iso = await _sample.WriteAsync("VENDOR", options.Split(' '), ("boot/bios.img", new string('b', 4096)), ("boot/efi.img", new string('e', 4096)), ("a/b/old", "old"), ("a/b/kept", "kept"));
        var before = await File.ReadAllBytesAsync(iso);

        var copy = await CopyAsync(iso, Put("a/b/old", "new"), Put("c/größe.txt", "here"));
        using var tree = new IsoTree(copy);
        using var original = new IsoTree(iso);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(new[] { "a/b/old", "a/b/kept", "c/größe.txt" }.Select(path => tree.ReadText(path, 100)), Is.EqualTo(new[] { "new", "kept", "here" }));
            Assert.That((tree.VolumeId, tree.HasJoliet), Is.EqualTo(("VENDOR", original.HasJoliet)));
            Assert.That(IsoInspector.Inspect(copy, copy) is var facts ? (facts.BootsBios, facts.BootsUefi) : default, Is.EqualTo((true, options.Contains("-e "))));
            Assert.That(await BootRecordsAsync(copy), Is.EqualTo(await BootRecordsAsync(iso)).And.Contain("El Torito"));
            Assert.That(File.GetUnixFileMode(copy), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
            SameBytes.Assert(await File.ReadAllBytesAsync(iso), before, "the original");
        }
    }

    [TestCase("a", "It can't be put into the ISO: there is a folder of this name")]
    [TestCase("a/file/x", "It can't be put into the ISO: 'a/file' is a file there")]
    public async Task A_file_that_would_take_the_place_of_a_folder_is_an_error(string name, string what)
    {
        var iso = await _sample.WriteAsync("VENDOR", ("a/file", "x"));

        var error = (await Assert.ThrowsAsync<CrustException>(() => CopyAsync(iso, Put(name, "y"))))!;

        Assert.That((error.Kind, error.What, error.Where), Is.EqualTo((FailureKind.BadInput, what, $"seed.files, {name}, {iso}")));
    }

    [Test]
    public void No_argument_has_more_of_a_file_than_its_path() =>
        Assert.That(string.Join(' ', IsoCopy.Arguments("/iso/a.iso", [new VolumeFile("config.yaml", "/private/seed/0")], "/private/copy.iso", hasJoliet: true)), Is.EqualTo(
            "-no_rc -indev /iso/a.iso -outdev /private/copy.iso -joliet on -follow param:link -map /private/seed/0 /config.yaml -chown 0 /config.yaml -- -chgrp 0 /config.yaml -- -boot_image any replay"));

    private VolumeFile Put(string name, string content)
    {
        var path = Path.Combine(_sample.Folder, $"{Guid.NewGuid():N}");
        File.WriteAllText(path, content);
        return new VolumeFile(name, path);
    }

    private async Task<string> CopyAsync(string iso, params VolumeFile[] files)
    {
        var copy = Path.Combine(_sample.Folder, $"{Guid.NewGuid():N}.iso");
        await new IsoCopy(IsoSample.Tools, new EventList()).WriteAsync(iso, [.. files], copy, CancellationToken.None);
        return copy;
    }

    // Without the addresses: kinds, platforms, flags and sizes of boot images, and what is in the system area.
    private static async Task<string> BootRecordsAsync(string iso)
    {
        var report = await IsoSample.Tools.RunAsync(ToolCommand.Of("xorriso", "-no_rc", "-indev", iso, "-report_el_torito", "plain", "-report_system_area", "plain"), CancellationToken.None);
        return string.Join('\n', report.Output.Split('\n').Where(line => line.StartsWith("El Torito", StringComparison.Ordinal) || line.StartsWith("System area", StringComparison.Ordinal) || line.StartsWith("GPT type", StringComparison.Ordinal))
            .Where(line => !line.StartsWith("El Torito catalog", StringComparison.Ordinal))
            .Select(line => line.StartsWith("El Torito boot img", StringComparison.Ordinal) ? line[..line.LastIndexOf(' ')].TrimEnd() : line));
    }
}
