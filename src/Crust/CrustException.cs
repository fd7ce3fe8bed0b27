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
internal class CrustException(FailureKind kind, string what, string where, string remedy, Exception? inner = null)
    : Exception($"{what}\n  where: {where}\n  to do: {remedy}", inner)
{
    // What was known when it failed, for the report: one value a type, such as the facts of the installer's run. Only the rooms above know these types.
    private readonly Dictionary<Type, object> _evidence = [];

    /// <summary>Decides the exit code.</summary>
    public FailureKind Kind { get; } = kind;

    public string What { get; } = what;

    public string Where { get; } = where;

    public string Remedy { get; } = remedy;

    /// <summary>Text worth reading beside the message, such as a tool's last words; empty if there is none.</summary>
    public string Detail { get; init; } = "";

    /// <summary>The rule of the seed's checks that says so (docs/checks.md); null for none.</summary>
    internal string? Rule { get; init; }

    /// <summary>Adds what is known; replaces an earlier value of the same type.</summary>
    internal void Add<T>(T evidence)
        where T : class => _evidence[typeof(T)] = evidence;

    /// <summary>What is known of that type; null if nothing is.</summary>
    internal T? Find<T>()
        where T : class => _evidence.GetValueOrDefault(typeof(T)) as T;

    /// <summary>The same error at another place, with all that is known.</summary>
    internal CrustException At(string where)
    {
        var moved = new CrustException(Kind, What, where, Remedy, this) { Detail = Detail, Rule = Rule, Report = Report };
        foreach (var (type, evidence) in _evidence)
        {
            moved._evidence[type] = evidence;
        }

        return moved;
    }

    /// <summary>The path of the report; null if there is none.</summary>
    public string? Report { get; internal set; }
}
