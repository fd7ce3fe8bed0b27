using System.Collections.Immutable;

namespace Crust.Canvos.Args;

/// <summary>What becomes of an ARG of CanvOS.</summary>
public enum ArgFate
{
    /// <summary>It is a value of Crust's specs.</summary>
    Taken,

    /// <summary>It says how CanvOS itself builds, and changes nothing of what is built here: any value is as good as another.</summary>
    Moot,

    /// <summary>Its default is what Crust does; another value is refused.</summary>
    Fixed,

    /// <summary>It is refused whenever it says anything.</summary>
    Refused,
}

/// <summary>An ARG of CanvOS' Earthfile (spectrocloud/CanvOS@fb36e29), and what it is to Crust.</summary>
/// <param name="Default">CanvOS' default; empty for none.</param>
/// <param name="Meaning">The spec's key, or why it has none.</param>
/// <param name="Remedy">What to do where a value is refused; empty where none is.</param>
internal sealed record CanvosArg(string Name, string Default, ArgFate Fate, string Meaning, string Remedy = "")
{
    /// <summary>Whether it is true or false.</summary>
    public bool IsSwitch => Default is "true" or "false";

    /// <summary>Whether a value is refused.</summary>
    public bool Refuses(string value) => Fate is ArgFate.Fixed or ArgFate.Refused && value.Length > 0 && value != Default;
}

/// <summary>ARGs that belong together, as the docs show them.</summary>
internal sealed record ArgGroup(string Title, ImmutableArray<CanvosArg> Args);
