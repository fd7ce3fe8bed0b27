using System.Collections.Immutable;

namespace Crust.Spec;

/// <summary>What Crust takes from the process's environment, read once. No other room looks at it.</summary>
internal sealed record HostEnvironment
{
    /// <summary>All variables, for those that stand for keys of the spec.</summary>
    public required ImmutableDictionary<string, string> Variables { get; init; }

    /// <summary>Folders in which programs are found: `PATH`, and the sbin folders that a user's `PATH` lacks on Debian.</summary>
    public required ImmutableArray<string> SearchPath { get; init; }

    /// <summary>Where Crust keeps what it can make again: `CRUST_CACHE`, else `$XDG_CACHE_HOME/crust`, else `~/.cache/crust`.</summary>
    public required string CacheFolder { get; init; }

    /// <summary>Where parts are that somebody has made already, such as the appliance in Crust's container: `CRUST_PARTS`; null for nowhere.</summary>
    public required string? PartsFolder { get; init; }

    /// <summary>How the appliance starts: `CRUST_APPLIANCE`, `auto` where it isn't set.</summary>
    public required ApplianceStart ApplianceStart { get; init; }

    /// <summary>Where short-lived sockets are: `XDG_RUNTIME_DIR` where there is one, else `TMPDIR`, else `/tmp`.</summary>
    public required string RuntimeFolder { get; init; }

    /// <summary>Whether there is a display on which programs open windows: `WAYLAND_DISPLAY` or `DISPLAY` is set.</summary>
    public required bool HasDisplay { get; init; }

    /// <summary>Whether the terminal, if there is one, can do more than lines of text: `TERM` says so.</summary>
    public required bool HasCapableTerminal { get; init; }

    /// <summary>Whether output may be coloured: `NO_COLOR` isn't set (no-color.org).</summary>
    public required bool WantsColor { get; init; }

    public static HostEnvironment Read() =>
        From(Environment.GetEnvironmentVariables().Cast<System.Collections.DictionaryEntry>()
            .ToImmutableDictionary(entry => (string)entry.Key, entry => (string?)entry.Value ?? ""));

    /// <summary>The same, and takes the secrets out of it, so that no program that is started from here inherits them.</summary>
    public static HostEnvironment Take()
    {
        var environment = Read();
        foreach (var secret in SpecKeys.For([]).Where(key => key.IsSecret).Select(key => key.Variable))
        {
            Environment.SetEnvironmentVariable(secret!, null);
        }

        return environment;
    }

    public static HostEnvironment From(ImmutableDictionary<string, string> variables)
    {
        string? Value(string name) => variables.GetValueOrDefault(name) is { Length: > 0 } value ? value : null;
        var home = Value("HOME") ?? "/root";
        var runtime = Value("XDG_RUNTIME_DIR");
        return new HostEnvironment
        {
            Variables = variables,
            SearchPath = [.. (Value("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries)
                .Concat(["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]).Distinct()],
            CacheFolder = Path.GetFullPath(Value("CRUST_CACHE") ?? Path.Combine(Value("XDG_CACHE_HOME") ?? Path.Combine(home, ".cache"), "crust")),
            PartsFolder = Value("CRUST_PARTS") is { } parts ? Path.GetFullPath(parts) : null,
            ApplianceStart = StartOf(Value("CRUST_APPLIANCE")),
            HasDisplay = (Value("WAYLAND_DISPLAY") ?? Value("DISPLAY")) is not null,
            HasCapableTerminal = Value("TERM") is not (null or "dumb"),
            WantsColor = Value("NO_COLOR") is null,
            RuntimeFolder = runtime is not null && Directory.Exists(runtime) ? runtime : Value("TMPDIR") ?? "/tmp",
        };
    }

    /// <summary>The same with variables that aren't set, in small or in capital letters.</summary>
    public HostEnvironment WithDefaults(IReadOnlyDictionary<string, string> variables) => this with
    {
        Variables = Variables.AddRange(variables.Where(variable => !Variables.Any(own => own.Value.Length > 0 && own.Key.Equals(variable.Key, StringComparison.OrdinalIgnoreCase)) && !Variables.ContainsKey(variable.Key))),
    };

    private static ApplianceStart StartOf(string? value) => value is null ? ApplianceStart.Auto
        : Enum.TryParse<ApplianceStart>(value, ignoreCase: true, out var start) && Enum.IsDefined(start) && !char.IsAsciiDigit(value[0]) ? start
        : throw new CrustException(FailureKind.BadInput, $"'{value}' is no way to start the appliance", "CRUST_APPLIANCE", "set it to auto, warm or boot, or to nothing");
}
