using System.Collections.Concurrent;
using System.Globalization;
using Crust.Storage;

namespace Crust.Fleet;

/// <summary>A node's file that is finished.</summary>
/// <param name="Name">Its name in the fleet's folder.</param>
/// <param name="Size">Its length in bytes.</param>
/// <param name="Sha256">Its SHA-256 in hex; null where its block map stands in for it.</param>
internal sealed record FleetFile(string Name, long Size, string? Sha256)
{
    /// <summary>Whether an earlier run made it.</summary>
    public bool IsKept { get; init; }
}

/// <summary>
/// What a fleet's folder has of earlier runs, also of one that was killed: a hidden file with a line for each file that is finished. A file is taken again if it is of
/// the same key and nobody has written to it since. Only this user may read it: keys depend on secrets.
/// </summary>
internal sealed class FleetJournal : IDisposable
{
    private const string FileName = ".crust-fleet";
    private const string NoSum = "-";
    private const int Columns = 5;

    private readonly string _folder;
    private readonly ConcurrentDictionary<string, Row> _rows = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();
    private readonly StreamWriter _file;

    private FleetJournal(string folder, StreamWriter file) => (_folder, _file) = (folder, file);

    /// <summary>Its file's name.</summary>
    /// <param name="part">The part of a fleet that it is of; empty for all of it.</param>
    public static string NameOf(string part) => FileName + part;

    /// <summary>Opens a folder's. Nobody else has it open.</summary>
    /// <exception cref="IOException">It can't be read or written.</exception>
    public static FleetJournal Open(string folder, string part)
    {
        var path = Path.Combine(folder, NameOf(part));
        var rows = File.Exists(path) ? File.ReadAllLines(path).Select(Row.TryParse).OfType<Row>().ToList() : [];
        // Written anew: the last line may be cut off, and rows of files that are gone are of no use.
        var current = rows.GroupBy(row => row.Name, StringComparer.Ordinal).Select(group => group.Last())
            .Where(row => File.Exists(Path.Combine(folder, row.Name))).ToList();
        WholeFile.Replace(path, string.Concat(current.Select(row => row.ToLine())));
        var journal = new FleetJournal(folder, new StreamWriter(new FileStream(path, FileMode.Append, FileAccess.Write)) { AutoFlush = true });
        foreach (var row in current)
        {
            journal._rows[row.Name] = row;
        }

        return journal;
    }

    /// <summary>A finished file that is still as it was made; null if there is none of that key.</summary>
    public FleetFile? Find(string name, string key)
    {
        var file = new FileInfo(Path.Combine(_folder, name));
        return _rows.TryGetValue(name, out var row) && row.Key == key && file.Exists && file.Length == row.Size && file.LastWriteTimeUtc.Ticks == row.Ticks
            ? new FleetFile(name, row.Size, row.Sha256) { IsKept = true }
            : null;
    }

    /// <summary>Notes a file that has its final name.</summary>
    /// <exception cref="IOException">It can't be written.</exception>
    public void Add(FleetFile file, string key)
    {
        var row = new Row(key, file.Sha256, file.Size, new FileInfo(Path.Combine(_folder, file.Name)).LastWriteTimeUtc.Ticks, file.Name);
        _rows[file.Name] = row;
        lock (_lock)
        {
            _file.Write(row.ToLine());
        }
    }

    public void Dispose() => _file.Dispose();

    private sealed record Row(string Key, string? Sha256, long Size, long Ticks, string Name)
    {
        public static Row? TryParse(string line) => line.Split(' ', Columns) is [var key, var sum, var size, var ticks, { Length: > 0 } name]
            && Checksum.IsSha256(key) && (sum == NoSum || Checksum.IsSha256(sum))
            && long.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out var bytes)
            && long.TryParse(ticks, NumberStyles.None, CultureInfo.InvariantCulture, out var time)
            && Path.GetFileName(name) == name
            ? new Row(key, sum == NoSum ? null : sum, bytes, time, name)
            : null;

        public string ToLine() => string.Create(CultureInfo.InvariantCulture, $"{Key} {Sha256 ?? NoSum} {Size} {Ticks} {Name}\n");
    }
}
