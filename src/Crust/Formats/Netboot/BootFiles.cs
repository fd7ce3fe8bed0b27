using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Crust.Formats.Zstd;
using Crust.Trees;

namespace Crust.Formats.Netboot;

/// <summary>Files of a root file system that machines load before they mount it.</summary>
internal sealed partial class BootFiles
{
    private const int MostMembers = 10_000_000;

    // A kernel or an initramfs; more is no such thing.
    private const long Largest = 512 << 20;

    private readonly ImmutableSortedDictionary<string, string> _files;

    private BootFiles(ImmutableSortedDictionary<string, string> files) => _files = files;

    /// <summary>The paths in the root, without a slash at the start, in the order of their bytes.</summary>
    public IEnumerable<string> Paths => _files.Keys;

    public bool Contains(string path) => _files.ContainsKey(path);

    /// <summary>The path on this host of a file that is there.</summary>
    public string PathOf(string path) => _files[path];

    public byte[] Read(string path) => File.ReadAllBytes(_files[path]);

    /// <summary>Takes the files out of an archive of a root file system.</summary>
    /// <param name="archive">The archive, in zstd's seekable format.</param>
    /// <param name="folder">Where to put them, under other names.</param>
    /// <param name="progress">Receives the part of the archive that was read, from 0 to 1.</param>
    /// <exception cref="InvalidDataException">The archive is damaged.</exception>
    public static BootFiles Extract(string archive, string folder, Action<double> progress, CancellationToken cancellation)
    {
        var found = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        using var file = File.OpenRead(archive);
        using var frames = new ZstdFrames(file, archive);
        var tar = new TarArchive(frames, TarArchive.UnknownLength) { MostMembers = MostMembers };
        var buffer = new byte[1 << 20];
        while (tar.Next() is { } entry)
        {
            cancellation.ThrowIfCancellationRequested();
            if (entry.Kind is not TarKind.File || entry.Length > Largest || !Wanted().IsMatch(entry.Name))
            {
                continue;
            }

            var path = Path.Combine(folder, $"{found.Count}");
            using (var copy = File.Create(path))
            {
                for (int read; (read = tar.Read(buffer)) > 0;)
                {
                    copy.Write(buffer.AsSpan(0, read));
                }
            }

            found[entry.Name] = path;
            progress((double)file.Position / file.Length);
        }

        return new BootFiles(found.ToImmutable());
    }

    [GeneratedRegex(@"\A(boot/(vmlinuz|initrd\.img)-[^/]+
        |boot/firmware/((start|fixup)4[^/]*|overlays/[^/]+)
        |usr/lib/raspi-firmware/((start|fixup)4[^/]*|overlays/[^/]+)
        |(usr/)?lib/(modules/[^/]+/dtb|linux-image-[^/]+|firmware/[^/]+/device-tree)/broadcom/bcm271[12][^/]*\.dtb
        |(usr/)?lib/modules/[^/]+/kernel/fs/overlayfs/overlay\.ko(\.xz|\.zst|\.gz)?
        |usr/share/initramfs-tools/scripts/nfs
        |usr/lib/shim/shimx64\.efi\.signed
        |usr/lib/grub/x86_64-efi-signed/grubnetx64\.efi\.signed)\z", RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Wanted();
}
