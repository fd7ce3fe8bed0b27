using System.Text.Json.Nodes;

namespace Crust.Spec;

/// <summary>One key of the spec: where it may be given, how it is read, and where it goes.</summary>
internal sealed class SpecKey
{
    private SpecKey(Func<BuildSpec, GivenValue, BuildSpec> apply, Func<JsonObject> schema)
    {
        Apply = apply;
        Schema = schema;
    }

    /// <summary>Its path in a spec file: `machine.disk`.</summary>
    public required string Path { get; init; }

    /// <summary>What it is, as one sentence for help, docs and editors.</summary>
    public required string Description { get; init; }

    /// <summary>Stands for its value in help: `SIZE`.</summary>
    public required string Placeholder { get; init; }

    /// <summary>The environment variable that sets it; null for none.</summary>
    public required string? Variable { get; init; }

    /// <summary>The command-line option that sets it, with its dashes; null for none, as for every secret: an argv is public.</summary>
    public required string? Option { get; init; }

    /// <summary>Its default as a spec would write it; null where there is none.</summary>
    public required string? Default { get; init; }

    /// <summary>Whether it takes several values; the option may then be repeated.</summary>
    public required bool IsList { get; init; }

    /// <summary>Whether it is a list of mappings, which only a spec file can say.</summary>
    public required bool TakesMappings { get; init; }

    /// <summary>Whether it is true or false; the option alone then means true.</summary>
    public required bool IsSwitch { get; init; }

    /// <summary>Whether its value must not be shown.</summary>
    public required bool IsSecret { get; init; }

    /// <summary>The spec with what the user gave, or a <see cref="CrustException"/> that says what is wrong with it.</summary>
    internal Func<BuildSpec, GivenValue, BuildSpec> Apply { get; }

    /// <summary>The secret that it set; null if it set none, and for keys that aren't secrets.</summary>
    internal Func<BuildSpec, Secret?> SecretOf { get; private init; } = _ => null;

    /// <summary>Where in a value's text the path of a file (or folder) of this host begins; -1 where it names none.</summary>
    internal Func<string, int> PathAt { get; private init; } = _ => -1;

    /// <summary>The text that stands for its value where a mapping with the keys below it is given in its place; null where the mapping says nothing of it.</summary>
    internal string? InMapping { get; private init; }

    /// <summary>A fresh JSON Schema of its value.</summary>
    internal Func<JsonObject> Schema { get; }

    internal static SpecKey Of<T>(
        string path, ValueType<T> type, Func<BuildSpec, T> get, Func<BuildSpec, T, BuildSpec> set, string description,
        string? option = null, string? variable = null, string? inMapping = null) => new((spec, given) => set(spec, type.Parse(given)), type.Schema)
        {
            Path = path,
            Description = description,
            Placeholder = type.Placeholder,
            Variable = variable,
            Option = option,
            Default = type.Format(get(new BuildSpec())),
            IsList = type.IsList,
            TakesMappings = type.TakesMappings,
            IsSwitch = type.IsSwitch,
            IsSecret = type.IsSecret,
            SecretOf = spec => get(spec) as Secret,
            PathAt = type.PathAt,
            InMapping = inMapping,
        };

    public override string ToString() => Path;
}
