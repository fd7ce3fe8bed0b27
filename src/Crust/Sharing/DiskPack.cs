using System.Formats.Tar;
using System.Text.Json;
using System.Text.RegularExpressions;
using Crust.Disks;
using Crust.Reports;

namespace Crust.Sharing;

/// <summary>All that the cache keeps beside an installed disk, as one file: a tar archive. The same disk gives the same bytes.</summary>
internal static partial class DiskPack
{
    private const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>Packs what lies beside a disk.</summary>
    /// <param name="disk">The disk, in the cache.</param>
    /// <param name="path">The archive's path.</param>
    /// <exception cref="IOException">Something can't be read or written.</exception>
    public static void Write(InstalledDisk disk, string path)
    {
        var its = new DiskFolder(disk.RunFolder);
        var record = path + ".json";
        // Where the disk lies here, and when it was written here, is nobody else's.
        (DiskRecord.Load(its.Record) with { ModifiedTicks = 0, From = null }).Save(record);
        using var tar = new TarWriter(File.Create(path), TarEntryFormat.Ustar);
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
                tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, name) { DataStream = content, Mode = Mode, ModificationTime = DateTimeOffset.UnixEpoch });
            }
        }
    }

    /// <summary>Unpacks an archive into a disk's folder in the cache; files that don't belong there are left out.</summary>
    /// <param name="path">The archive's path.</param>
    /// <param name="into">The folder.</param>
    /// <param name="size">The size that the disk has to have, in bytes.</param>
    /// <returns>How the disk came to be, and its map; the record itself isn't in the folder.</returns>
    /// <exception cref="IOException">Something can't be read or written.</exception>
    /// <exception cref="InvalidDataException">It isn't such an archive, or is about another disk.</exception>
    public static (InstallFacts Install, BlockMap Map) Read(string path, DiskFolder into, long size)
    {
        try
        {
            using (var tar = new TarReader(File.OpenRead(path)))
            {
                while (tar.GetNextEntry() is { } entry)
                {
                    if (PlaceOf(entry, into) is { } place)
                    {
                        Directory.CreateDirectory(Path.GetDirectoryName(place)!);
                        using var file = File.Create(place);
                        entry.DataStream?.CopyTo(file);
                    }
                }
            }

            var record = DiskRecord.Load(into.Record);
            File.Delete(into.Record);
            var map = BmapFile.Read(into.Map);
            return record.Size == size && map.Size == size && IsSound(map) ? (record.Install, map) : throw new InvalidDataException($"what lies beside it is about another disk than one of {size} bytes");
        }
        catch (Exception e) when (e is FormatException or JsonException or FileNotFoundException or EndOfStreamException)
        {
            throw new InvalidDataException($"what lies beside it can't be read: {e.Message}", e);
        }
    }

    private static string? PlaceOf(TarEntry entry, DiskFolder into) => entry switch
    {
        { EntryType: not (TarEntryType.RegularFile or TarEntryType.V7RegularFile) } => null,
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
