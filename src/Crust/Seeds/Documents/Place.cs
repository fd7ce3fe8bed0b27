using System.Globalization;
using System.Text.RegularExpressions;

namespace Crust.Seeds.Documents;

/// <summary>Where a part of a document comes from.</summary>
/// <param name="Source">A file as the user named it; or, without a line, what else it comes from: `environment variable SSH_USER`, `default`.</param>
/// <param name="Line">The line in the file, from 1; 0 where the source is no file.</param>
/// <param name="Column">The column in the line, from 1; 0 where the source is no file.</param>
internal readonly partial record struct Place(string Source, int Line, int Column)
{
    /// <summary>What Crust adds by itself.</summary>
    public static readonly Place Default = Of("default");

    /// <summary>Something that isn't in a file.</summary>
    public static Place Of(string source) => new(source, 0, 0);

    /// <summary>The place that an error names: `crust.yaml:4:15, seed.ssh.password`, or something that isn't in a file.</summary>
    public static Place Parse(string where)
    {
        var match = InFile().Match(where);
        return match.Success ? new Place(match.Groups[1].Value, int.Parse(match.Groups[2].ValueSpan, CultureInfo.InvariantCulture), int.Parse(match.Groups[3].ValueSpan, CultureInfo.InvariantCulture))
            : Of(where);
    }

    /// <summary>`user-data.yaml:7:3`, or the source alone.</summary>
    public override string ToString() => Line == 0 ? Source : $"{Source}:{Line}:{Column}";

    [GeneratedRegex(@"\A(.+):([0-9]{1,9}):([0-9]{1,9})(, .*)?\z")]
    private static partial Regex InFile();
}
