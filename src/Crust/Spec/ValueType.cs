using System.Text.Json.Nodes;

namespace Crust.Spec;

/// <summary>How a kind of value is read, shown and described.</summary>
/// <param name="Placeholder">Stands for the value in help and docs: `SIZE`.</param>
/// <param name="Parse">Understands what the user gave, or throws a <see cref="CrustException"/>.</param>
/// <param name="Format">The value as a spec writes it; null where there is none.</param>
/// <param name="Schema">A fresh JSON Schema of the value in a spec file.</param>
internal sealed record ValueType<T>(string Placeholder, Func<GivenValue, T> Parse, Func<T, string?> Format, Func<JsonObject> Schema)
{
    public bool IsList { get; init; }

    /// <summary>Whether it is a list of mappings, which only a spec file can say.</summary>
    public bool TakesMappings { get; init; }

    /// <summary>Whether it is true or false, so that an option needs no value.</summary>
    public bool IsSwitch { get; init; }

    public bool IsSecret { get; init; }

    /// <summary>Where in a value's text the path of a file (or folder) of this host begins; -1 where it names none.</summary>
    public Func<string, int> PathAt { get; init; } = _ => -1;
}
