using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using Crust.Seeds.Documents;

namespace Crust.Seeds.Checks;

/// <summary>
/// The recipe of a preseed file for partitions (`partman-auto/expert_recipe`, partman-auto's lib/recipes.sh, decode_recipe): for each partition the smallest size, a priority,
/// the largest size, a file system and settings, up to a lone dot. Sizes are in megabytes of 10^6 bytes, or a part of the memory: `512+50%`.
/// </summary>
internal sealed partial class PartmanRecipe
{
    // What runs before partitions are made may answer otherwise.
    private static readonly string[] Scripts = ["preseed/early_command", "partman/early_command", "preseed/include", "preseed/include_command", "preseed/run"];

    private readonly PreseedFile _file;

    private PartmanRecipe(PreseedFile file, PreseedAnswer answer)
    {
        (_file, Place) = (file, answer.Place);
        MayChange = MayChangeIn(file);
        var line = new List<string>();
        foreach (var word in answer.Value.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries))
        {
            if (word is ":" or "::")
            {
                line.Clear();
            }
            else if (word != ".")
            {
                line.Add(word);
            }
            else
            {
                AddPartition(line);
                line.Clear();
            }
        }
    }

    public Place Place { get; }

    /// <summary>What its partitions need at least, in bytes, without what depends on the memory.</summary>
    public long Bytes { get; private set; }

    /// <summary>Whether a size isn't one, which partman takes for more than any disk has.</summary>
    public bool HasUnreadable { get; private set; }

    /// <summary>Whether the file runs or includes something that may answer otherwise.</summary>
    public bool MayChange { get; }

    /// <summary>That of a file; null if it has none.</summary>
    public static PartmanRecipe? In(PreseedFile file) => file.AnswerTo("partman-auto/expert_recipe") is { Value.Length: > 0 } answer ? new PartmanRecipe(file, answer) : null;

    /// <summary>Whether a file runs or includes something that may answer otherwise.</summary>
    public static bool MayChangeIn(PreseedFile file) => Scripts.Any(question => file.AnswerTo(question) is { Value.Length: > 0 });

    /// <summary>The room that it gets: one disk, or several where the file names them for one volume group.</summary>
    public long RoomOn(ImmutableArray<(string Name, long Size)> disks)
    {
        ImmutableArray<string> named = [.. (_file.AnswerTo("partman-auto/disk")?.Value ?? "").Split([' ', '\t', ','], StringSplitOptions.RemoveEmptyEntries)];
        ImmutableArray<(string Name, long Size)> taken = [.. disks.Where(disk => named.Contains(disk.Name))];
        // Under a name that isn't one of these it may be any.
        return taken.IsEmpty || taken.Length != named.Length ? named.Length > 1 ? disks.Sum(disk => disk.Size) : disks.Max(disk => disk.Size) : taken.Sum(disk => disk.Size);
    }

    private void AddPartition(List<string> line)
    {
        if (line.Count < 4 || line.Any(IsCondition))
            return;
        var match = SizePattern().Match(line[0]);
        if (!match.Success)
            HasUnreadable = true;
        else if (long.TryParse(match.Groups["fixed"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var megabytes))
            Bytes = Math.Min(Bytes + DiskDemand.Of(null, megabytes, 1_000_000, Place).Bytes, 1L << 50);
    }

    // Whether such a partition counts depends on the method ($lvmignore{ }), the disk's label or what is there already.
    private static bool IsCondition(string word) =>
        word.Contains("ignore{", StringComparison.Ordinal) || word.StartsWith("$iflabel{", StringComparison.Ordinal) || word.StartsWith("$reusemethod{", StringComparison.Ordinal);

    [GeneratedRegex(@"\A(?<fixed>[0-9]{1,18})\z|\A((?<fixed>[0-9]{1,18})\+)?[0-9]+%\z", RegexOptions.ExplicitCapture)]
    private static partial Regex SizePattern();
}
