using System.Formats.Tar;
using System.Text;
using Crust.Appliance;
using Crust.Spec;
using Crust.Tests.Registries;
using Crust.Trees;

namespace Crust.Tests.Machine.Live;

/// <summary>
/// A base as Kairos' are, of Debian's packages: kernel, dracut with dmsquash-live, shim and GRUB, and an agent of some lines; below a second layer with a whiteout, an
/// opaque folder, a hard link to a file of the first, a setuid program, an extended attribute and a capability. Made once for all fixtures that need it.
/// </summary>
internal static class LiveStandIn
{
    private static readonly Lazy<Task<string>> Amd64 = new(() => MakeAsync(Arch.Amd64));
    private static readonly Lazy<Task<string>> Arm64 = new(() => MakeAsync(Arch.Arm64));

    private static readonly string[] Packages =
    [
        "systemd-sysv", "udev", "dbus", "dracut", "dracut-live", "dracut-network", "curl", "shim-signed", "grub2-common", "gdisk", "dosfstools", "e2fsprogs", "util-linux",
        "python3-yaml", "kmod",
    ];

    // What no machine here has, and whatever is only read by people; of the documentation, something has to be there for a layer to hide.
    private static readonly string[] Exclude =
    [
        "/usr/share/doc/*", "!/usr/share/doc/base-files/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*",
        .. new[] { "sound", "drivers/gpu", "drivers/media", "drivers/infiniband", "drivers/staging", "drivers/net", "drivers/iio", "drivers/hwmon", "drivers/isdn" }
            .Select(folder => $"/lib/modules/*/kernel/{folder}/*"),
    ];

    /// <summary>The folder of an OCI layout with the base.</summary>
    /// <remarks>For arm64, programs of that architecture have to run on this host.</remarks>
    public static Task<string> LayoutAsync(Arch arch = Arch.Amd64) => arch is Arch.Amd64 ? Amd64.Value : Arm64.Value;

    private static async Task<string> MakeAsync(Arch arch)
    {
        // As the expensive artifacts of Crust itself, it stays in the user's cache.
        var sources = Path.Combine(AppContext.BaseDirectory, "Live", "standin");
        var key = BuilderFolder.Key([new BuilderFolder(sources, arch)], "live stand-in", "2", string.Join(' ', [.. Packages, .. Exclude]), $"{arch}");
        using var entry = await Field.FieldMedium.Cache.OpenAsync("test-live-bases", key, null, CancellationToken.None);
        if (entry.Found is { } found)
        {
            return Path.Combine(found, "layout");
        }

        var folder = entry.Draft;
        File.Copy(Path.Combine(sources, "finish.sh"), Path.Combine(folder, "finish.sh"));
        await WriteOverlayAsync(sources, Path.Combine(folder, "overlay.tar"));
        await Host.Tools.RunAsync(new Mmdebstrap
        {
            Variant = "minbase",
            Arch = arch,
            MakesInitramfs = false,
            Exclude = Exclude,
            Packages = [.. Packages, $"linux-image-{arch.LowerName()}", $"grub-efi-{arch.LowerName()}-signed", .. arch is Arch.Amd64 ? new[] { "grub-pc-bin" } : []],
            Folder = folder,
            Output = "base.tar",
            Overlay = "overlay.tar",
            Script = "finish.sh",
        }.Command((_, _) => { }), CancellationToken.None);
        await Host.RunAsync("zstd", ["-q", "-1", "-T0", "--rm", Path.Combine(folder, "base.tar")], CancellationToken.None);
        await WriteSecondLayerAsync(Path.Combine(folder, "upper.tar"));
        await Host.RunAsync("gzip", [Path.Combine(folder, "upper.tar")], CancellationToken.None);
        var layers = new[] { Path.Combine(folder, "base.tar.zst"), Path.Combine(folder, "upper.tar.gz") };
        OciSample.Write(Directory.CreateDirectory(Path.Combine(folder, "layout")).FullName, (arch, layers));
        foreach (var file in Directory.EnumerateFiles(folder))
        {
            File.Delete(file);
        }

        return Path.Combine(entry.Keep(), "layout");
    }

    private static async Task WriteOverlayAsync(string sources, string path)
    {
        await using var writer = new TarWriter(File.Create(path));
        foreach (var (name, place) in new[]
        {
            ("kairos-agent", "usr/bin/kairos-agent"),
            ("kairos-agent.service", "usr/lib/systemd/system/kairos-agent.service"),
            ("module-setup.sh", "usr/lib/dracut/modules.d/99immucore/module-setup.sh"),
            ("mark-live.sh", "usr/lib/dracut/modules.d/99immucore/mark-live.sh"),
            ("find-active.sh", "usr/lib/dracut/modules.d/99immucore/find-active.sh"),
        })
        {
            await using var content = File.OpenRead(Path.Combine(sources, name));
            await writer.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, place) { DataStream = content });
        }
    }

    private static async Task WriteSecondLayerAsync(string path)
    {
        await using var writer = new TarWriter(File.Create(path));
        foreach (var (name, text) in new[] { ("etc/.wh.motd", ""), ("usr/share/doc/.wh..wh..opq", ""), ("etc/hostname", "live-stand-in\n"), ("etc/kairos/.nousers", "") })
        {
            await writer.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text)) });
        }

        await writer.WriteEntryAsync(new PaxTarEntry(TarEntryType.HardLink, "usr/local/bin/as") { LinkName = "usr/bin/env" });
        // In version 2 and effective, cap_net_bind_service: struct vfs_cap_data of linux/capability.h.
        await WriteProgramAsync(writer, "usr/local/bin/capable", "security.capability", "\u0001\0\0\u0002\0\u0004\0\0\0\0\0\0\0\0\0\0\0\0\0\0", UnixFileMode.None);
        await WriteProgramAsync(writer, "usr/local/bin/odd", "user.note", "kept", UnixFileMode.SetUser);
    }

    private static Task WriteProgramAsync(TarWriter writer, string path, string attribute, string value, UnixFileMode more) =>
        writer.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, path, new Dictionary<string, string> { ["SCHILY.xattr." + attribute] = value })
        {
            Mode = TreeEntry.Executable | more,
            DataStream = new MemoryStream("#!/bin/sh\n"u8.ToArray()),
        });
}
