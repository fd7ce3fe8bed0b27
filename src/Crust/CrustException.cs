using System.Collections.Immutable;
using Crust.Disks;
using Crust.Formats;
using Crust.Machines;
using Crust.Reports;

namespace Crust;

/// <summary>Why a command of Crust ended; the value is the process's exit code.</summary>
public enum FailureKind
{
    /// <summary>Bad input: a spec, a flag, a file that the user named.</summary>
    BadInput = 2,

    /// <summary>This host lacks something: a tool, firmware, space, a permission.</summary>
    HostLacks = 3,

    /// <summary>The guest failed: panic, reset, stall, deadline, didn't boot.</summary>
    GuestFailed = 4,

    /// <summary>Reading, writing or the network failed.</summary>
    InputOutput = 5,
}

/// <summary>
/// An error that a user can cause or cure. It says three things: what is wrong, where, and what to do;
/// it is printed without a stack trace. Anything else that is thrown is a bug in Crust.
/// </summary>
/// <param name="kind">Decides the exit code.</param>
/// <param name="what">What is wrong, as a sentence without a full stop.</param>
/// <param name="where">Where: a file with line and column, a key, an option, a value, a program.</param>
/// <param name="remedy">What to do about it, as an imperative.</param>
/// <param name="inner">The technical cause, for the log; never printed.</param>
public class CrustException(FailureKind kind, string what, string where, string remedy, Exception? inner = null)
    : Exception($"{what}\n  where: {where}\n  to do: {remedy}", inner)
{
    /// <summary>Decides the exit code.</summary>
    public FailureKind Kind { get; } = kind;

    /// <summary>What is wrong.</summary>
    public string What { get; } = what;

    /// <summary>Where it is wrong.</summary>
    public string Where { get; } = where;

    /// <summary>What to do about it.</summary>
    public string Remedy { get; } = remedy;

    /// <summary>Text worth reading beside the message, such as a tool's last words; empty if there is none.</summary>
    public string Detail { get; init; } = "";

    /// <summary>The rule of the seed's checks that says so (docs/checks.md); null for none.</summary>
    internal string? Rule { get; init; }

    /// <summary>How the installer's run went until it failed, for the report; null where none did.</summary>
    public InstallFacts? Install { get; internal set; }

    /// <summary>The files of the machine's run that failed, for the report; null where none did.</summary>
    internal RunFiles? Run { get; set; }

    /// <summary>Images that were finished before others failed.</summary>
    internal ImmutableArray<DraftImage> Finished { get; set; } = [];

    /// <summary>The path of the report that tells more; null if there is none.</summary>
    public string? Report { get; internal set; }
}
