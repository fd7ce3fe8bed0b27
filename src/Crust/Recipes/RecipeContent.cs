using System.Collections.Immutable;

namespace Crust.Recipes;

/// <summary>What a recipe is used for.</summary>
public enum RecipeUse
{
    /// <summary>A layer on a root or a disk, which may write anywhere.</summary>
    Layer,

    /// <summary>A system extension, which has only what lies below /usr and /opt.</summary>
    Sysext,

    /// <summary>An image that machines of the Kairos family upgrade to: they mount a file system of their own over /usr/local, so what belongs there goes to /usr.</summary>
    Provider,
}

/// <summary>When something of a recipe is taken.</summary>
/// <param name="For">For which uses: an empty list means all.</param>
/// <param name="Variants">In which variants: an empty list means all.</param>
internal sealed record RecipeScope(ImmutableArray<RecipeUse> For, ImmutableArray<string> Variants)
{
    public static RecipeScope Always { get; } = new([], []);

    /// <summary>Whether it is ever part of a system extension.</summary>
    public bool HasSysext => For.IsEmpty || For.Contains(RecipeUse.Sysext);

    /// <param name="variant">The chosen variant; null for a recipe that has none.</param>
    public bool Has(RecipeUse use, string? variant) => (For.IsEmpty || For.Contains(use)) && (Variants.IsEmpty || (variant is not null && Variants.Contains(variant)));
}

/// <summary>A file or folder of a download, and where it goes.</summary>
/// <param name="Download">The download's name.</param>
/// <param name="Inner">The path in its archive, with placeholders; a folder where it ends with a slash, and a slash alone is all of it. Empty for a download that is the file itself.</param>
/// <param name="Target">The absolute path in the target, with placeholders; a folder where it ends with a slash.</param>
/// <param name="Mode">Its permissions; null for those in the archive.</param>
internal sealed record RecipeFile(string Download, string Inner, string Target, UnixFileMode? Mode, RecipeScope Scope);

/// <summary>A symbolic link in the target.</summary>
/// <param name="Target">The absolute path of the link.</param>
/// <param name="To">What it says.</param>
internal sealed record RecipeLink(string Target, string To, RecipeScope Scope);

/// <summary>A systemd unit, or a drop-in of one.</summary>
/// <param name="Name">The unit's name with its suffix.</param>
/// <param name="DropIn">The drop-in's file name, which ends in `.conf`; null for the unit itself.</param>
/// <param name="Text">The file's text; null for a unit that comes with a download's files and is only started here.</param>
/// <param name="WantedBy">The unit that starts it; null where the user decides.</param>
internal sealed record RecipeUnit(string Name, string? DropIn, string? Text, string? WantedBy, RecipeScope Scope);

/// <summary>A system user, or a group without one.</summary>
/// <param name="Comment">The user's GECOS field; empty for a group.</param>
/// <param name="Home">The user's home; null for none.</param>
internal sealed record RecipeUser(string Name, bool IsGroup, string Comment, string? Home);

/// <summary>A line of tmpfiles.d.</summary>
internal sealed record RecipeTmpfile(string Line, RecipeScope Scope);

/// <summary>A configuration file's default.</summary>
/// <param name="Target">The absolute path in the target. A system extension has what belongs below /etc below <see cref="Factory"/>, from where systemd-tmpfiles copies it.</param>
internal sealed record RecipeConfig(string Target, string Text, UnixFileMode Mode, RecipeScope Scope)
{
    /// <summary>Where systemd-tmpfiles takes its copies from (tmpfiles.d(5), type C).</summary>
    public const string Factory = "/usr/share/factory";

    /// <summary>The mode of a file of which nothing else is said.</summary>
    public const UnixFileMode Plain = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
}
