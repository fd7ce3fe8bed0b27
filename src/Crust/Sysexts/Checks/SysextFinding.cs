namespace Crust.Sysexts.Checks;

public enum SysextSeverity
{
    /// <summary>It may do no harm, or depends on the system.</summary>
    Warning,

    /// <summary>It isn't merged, or something in it doesn't work.</summary>
    Error,
}

/// <summary>What a rule objects to in an extension.</summary>
/// <param name="Rule">The rule's name, in lower case with dashes.</param>
/// <param name="File">The extension's file.</param>
/// <param name="Path">The path in it.</param>
/// <param name="What">What is wrong, as a sentence without a full stop.</param>
/// <param name="Remedy">A way out, as an imperative.</param>
internal sealed record SysextFinding(SysextSeverity Severity, string Rule, string File, string Path, string What, string Remedy)
{
    /// <summary>In one line.</summary>
    public string ToLine() => $"{File}: {Path}: {What} ({Rule}). Fix: {Remedy}";
}
