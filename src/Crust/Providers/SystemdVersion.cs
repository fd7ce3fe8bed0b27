using System.Globalization;
using System.Text.RegularExpressions;
using Crust.Trees;

namespace Crust.Providers;

/// <summary>The version of a root's systemd, told by the name of its own library: nothing of the root is run for it.</summary>
internal static partial class SystemdVersion
{
    /// <summary>The first one whose extensions CanvOS and Palette deliver Kubernetes by (Earthfile, systemd-extensions-support).</summary>
    public const int WithExtensions = 255;

    /// <summary>The newest that is there; null for a root without systemd.</summary>
    public static int? Of(FileTree root) => root.Entries.Select(entry => entry.Kind is EntryKind.File ? LibraryPattern().Match(entry.Name) : Match.Empty)
        .Where(match => match.Success).Select(match => (int?)int.Parse(match.Groups["version"].Value, CultureInfo.InvariantCulture)).Max();

    [GeneratedRegex(@"\Alibsystemd-shared-(?<version>[1-9][0-9]{1,4})([.-].*)?\.so\z", RegexOptions.ExplicitCapture)]
    private static partial Regex LibraryPattern();
}
