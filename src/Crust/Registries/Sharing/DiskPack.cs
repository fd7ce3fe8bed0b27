using System.Text.Json;
using System.Text.RegularExpressions;
using Crust.Disks;
using Crust.Machines;
using Crust.Trees;

namespace Crust.Registries.Sharing;

/// <summary>All that the cache keeps beside an installed disk, as one file: a tar archive. The same disk gives the same bytes.</summary>
internal static partial class DiskPack
{
    private const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    // The serial log ends at 64 MiB; a map of that length is one of a disk with a TiB of data.
    private const long Longest = 128 << 20;

    /// <param name="disk">The disk, in the cache.</param>
    /// <param name="path">The archive's path.</param>
    /// <exception cref="IOException">Something can't be read or written.</exception>
    public static void Write(InstalledDisk disk, string path)
    {
        var its = new DiskFolder(disk.RunFolder);
        var record = path + ".json";
        // Where the disk lies here, and when it was written here, is nobody else's.
        (DiskRecord.Load(its.Record) with { ModifiedTicks = 0, From = null }).Save(record);
        using var tar = new System.Formats.Tar.TarWriter(File.Create(path), System.Formats.Tar.TarEntryFormat.Ustar);
        Add(Path.GetFileName(its.Record), record);
        Add(Path.GetFileName(its.Map), its.Map);
        Add(RunFiles.SerialLogName, Path.Combine(its.Path, RunFiles.SerialLogName));
        var screens = Path.Combine(its.Path, RunFiles.ScreensName);
        foreach (var picture in Directory.Exists(screens) ? Directory.EnumerateFiles(screens, "*.png").Order(StringComparer.Ordinal) : Enumerable.Empty<string>())
        {
            Add($"{RunFiles.ScreensName}/{Path.GetFileName(picture)}", picture);
        }

        File.Delete(record);

        void Add(string name, string file)
        {
            if (File.Exists(file))
            {
                using var content = File.OpenRead(file);
                tar.WriteEntry(new System.Formats.Tar.UstarTarEntry(System.Formats.Tar.TarEntryType.RegularFile, name)
                {
                    DataStream = content,
                    Mode = Mode,
                    ModificationTime = DateTimeOffset.UnixEpoch,
                });
            }
        }
    }

    /// <summary>Unpacks an archive into a disk's folder in the cache; files that don't belong there are left out.</summary>
    /// <param name="path">The archive's path.</param>
    /// <param name="size">The size that the disk has to have, in bytes.</param>
    /// <returns>How the disk came to be, and its map; the record itself isn't in the folder.</returns>
    /// <exception cref="IOException">Something can't be read or written.</exception>
    /// <exception cref="InvalidDataException">It isn't such an archive, or is about another disk.</exception>
    public static (InstallFacts Install, BlockMap Map) Read(string path, DiskFolder into, long size)
    {
        try
        {
            using (var archive = File.OpenRead(path))
            {
                Unpack(new TarArchive(archive, archive.Length), into);
            }

            var record = DiskRecord.Load(into.Record);
            File.Delete(into.Record);
            var map = BmapFile.Read(into.Map);
            return record.Size == size && map.Size == size && IsSound(map) ? (record.Install, map)
                : throw new InvalidDataException($"what lies beside it is about another disk than one of {size} bytes");
        }
        catch (Exception e) when (e is FormatException or JsonException or FileNotFoundException or EndOfStreamException)
        {
            throw new InvalidDataException($"what lies beside it can't be read: {e.Message}", e);
        }
    }

    private static void Unpack(TarArchive archive, DiskFolder into)
    {
        var buffer = new byte[1 << 16];
        while (archive.Next() is { } entry)
        {
            if (PlaceOf(entry, into) is not { } place)
            {
                continue;
            }

            if (entry.Length > Longest)
            {
                throw new InvalidDataException($"{entry.Name} is longer than Crust writes it");
            }

            Directory.CreateDirectory(Path.GetDirectoryName(place)!);
            using var file = File.Create(place);
            for (int read; (read = archive.Read(buffer)) > 0;)
            {
                file.Write(buffer, 0, read);
            }
        }
    }

    private static string? PlaceOf(ArchiveEntry entry, DiskFolder into) => entry switch
    {
        { Kind: not TarKind.File } => null,
        { Name: var name } when name == Path.GetFileName(into.Record) => into.Record,
        { Name: var name } when name == Path.GetFileName(into.Map) => into.Map,
        { Name: RunFiles.SerialLogName } => Path.Combine(into.Path, RunFiles.SerialLogName),
        { Name: var name } when PicturePattern().IsMatch(name) => Path.Combine(into.Path, name),
        _ => null,
    };

    private static bool IsSound(BlockMap map)
    {
        long covered = 0;
        foreach (var range in map.Ranges)
        {
            if (range.Offset < covered || range.Length is <= 0 or > BlockMap.Slot || range.End > map.Size)
            {
                return false;
            }

            covered = range.End;
        }

        return true;
    }

    [GeneratedRegex($@"\A{RunFiles.ScreensName}/[A-Za-z0-9][A-Za-z0-9._-]*\.png\z")]
    private static partial Regex PicturePattern();
}
