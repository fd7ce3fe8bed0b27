namespace Crust.Seeds.Documents;

/// <summary>Where a part of a document comes from.</summary>
/// <param name="Source">A file as the user named it; or, without a line, what else it comes from: `environment variable SSH_USER`, `default`.</param>
/// <param name="Line">The line in the file, from 1; 0 where the source is no file.</param>
/// <param name="Column">The column in the line, from 1; 0 where the source is no file.</param>
public readonly record struct Place(string Source, int Line, int Column)
{
    /// <summary>What Crust adds by itself.</summary>
    public static readonly Place Default = Of("default");

    /// <summary>Something that isn't in a file.</summary>
    public static Place Of(string source) => new(source, 0, 0);

    /// <summary>`user-data.yaml:7:3`, or the source alone.</summary>
    public override string ToString() => Line == 0 ? Source : $"{Source}:{Line}:{Column}";
}
