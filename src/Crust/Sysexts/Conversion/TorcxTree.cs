using System.Text;
using System.Text.RegularExpressions;
using Crust.Sysexts.Sources;
using Crust.Trees;

namespace Crust.Sysexts.Conversion;

/// <summary>
/// A torcx package as an extension: torcx unpacked packages into /run at boot and spread what their manifests name; an extension has all of that at its place in /usr. Units lose what ties
/// them to torcx, and get the variables that torcx had set for them.
/// </summary>
internal static partial class TorcxTree
{
    private const string Units = "usr/lib/systemd/system/";
    private const int LongestUnit = 1 << 20;

    // Programs in /bin, libraries in /lib, and the package's root at the system's: what torcx had in /run/metadata/torcx.
    private const string Environment = "Environment=TORCX_BINDIR=/usr/bin TORCX_UNPACKDIR=/ TORCX_IMAGEDIR=";

    // Folders whose programs are found by their names in /usr/bin, too.
    private static readonly string[] ProgramFolders = ["bin", "sbin", "usr/bin", "usr/sbin"];

    /// <summary>Makes the extension's tree.</summary>
    /// <param name="name">The extension's name.</param>
    /// <param name="source">What the package is called in errors.</param>
    /// <exception cref="CrustException">It is no torcx package, or its manifest names what isn't in it.</exception>
    public static FileTree Build(FileTree package, string name, string source)
    {
        var assets = TorcxManifest.Read(package, source);
        try
        {
            var placed = assets.Aggregate(package.Without(".torcx"), (tree, asset) => Place(tree, package, asset));
            var tree = SystemTree.ToExtension([placed], name);
            return tree.With(UnitsIn(tree).Where(entry => entry.Kind is EntryKind.File)
                .Select(unit => unit with { Content = TreeContent.Of(WithoutTorcx(TextOf(unit))) })).With(Upheld(tree));
        }
        catch (InvalidDataException e)
        {
            throw new CrustException(FailureKind.BadInput, $"The package can't be laid out: {e.Message}", source, "leave out what is in the way, and pack it again", e);
        }
    }

    /// <summary>The name and version that a package's file name tells, as in `docker:20.10.23.torcx.tgz`.</summary>
    public static (string Name, string? Version) NameOf(string path)
    {
        var file = Suffix().Replace(Path.GetFileName(Path.TrimEndingDirectorySeparator(path)), "");
        return file.Split(':', 2) is [var name, var version] ? (name, VersionForm().IsMatch(version) ? version : null) : (file, null);
    }

    /// <summary>A unit without what ties it to torcx.</summary>
    internal static string WithoutTorcx(string unit)
    {
        var lines = unit.Split('\n').Where(line => !OfTorcx().IsMatch(line))
            .Select(line => line.Contains("torcx.target", StringComparison.Ordinal) ? WithoutTarget(line) : line).OfType<string>().ToList();
        var service = lines.FindIndex(line => line.Trim() == "[Service]");
        if (service >= 0 && lines.Any(line => line.Contains("TORCX_", StringComparison.Ordinal)))
        {
            lines.Insert(service + 1, Environment);
        }

        return string.Join('\n', lines);
    }

    // At the place where systems look for it; what is elsewhere in the package stays there, too, since programs may count on it.
    private static FileTree Place(FileTree tree, FileTree package, TorcxAsset asset)
    {
        var real = package.Follow(asset.Path)!;
        if (asset.Path == asset.Target || IsMergedInto(asset.Path, asset.Target))
        {
            return tree;
        }

        var folder = asset.Path[..Math.Max(0, asset.Path.LastIndexOf('/'))];
        if (asset.Kind == "bin" && !ProgramFolders.Contains(folder))
        {
            return tree.With(TreeEntry.Symlink(asset.Target, "/" + asset.Path));
        }

        // /usr/sbin as a folder would be in the way where it is a link; units in /etc would be no units of an extension.
        return tree.Without(asset.Path).With(package.Entries.Where(entry => entry == real || entry.Path.StartsWith(real.Path + "/", StringComparison.Ordinal))
            .Select(entry => entry with { Path = asset.Target + entry.Path[real.Path.Length..] }));
    }

    // /bin/x is /usr/bin/x, /lib/x is /usr/lib/x.
    private static bool IsMergedInto(string path, string target) => $"usr/{path}" == target;

    private static IEnumerable<TreeEntry> UnitsIn(FileTree tree) => tree.Entries.Where(entry => entry.Path.StartsWith(Units, StringComparison.Ordinal)
        && entry.Kind is EntryKind.File or EntryKind.Symlink);

    // multi-user.target.wants/x.service: systemd has looked at it before the extension is merged.
    private static IEnumerable<TreeEntry> Upheld(FileTree tree) => UnitsIn(tree).Select(entry => WantedUnit().Match(entry.Path[Units.Length..]))
        .Where(match => match.Success)
        .Select(match => TakenFiles.Upholds(match.Groups["target"].Value, match.Groups["unit"].Value));

    private static string? WithoutTarget(string line) => line.Split('=', 2) is [var key, var value]
        && string.Join(' ', value.Split(' ', StringSplitOptions.RemoveEmptyEntries).Where(unit => unit != "torcx.target")) is { Length: > 0 } rest
            ? $"{key}={rest}" : null;

    private static string TextOf(TreeEntry entry) => Encoding.UTF8.GetString(entry.Content.Read(0, LongestUnit));

    [GeneratedRegex(@"\A\s*(EnvironmentFile\s*=\s*-?/run/metadata/torcx|Environment\s*=\s*TORCX_IMAGEDIR=)")]
    private static partial Regex OfTorcx();

    [GeneratedRegex(@"\A(?<target>[^/]+)\.(wants|requires)/(?<unit>[^/]+)\z", RegexOptions.ExplicitCapture)]
    private static partial Regex WantedUnit();

    [GeneratedRegex(@"(\.torcx)?(\.tgz|\.tar(\.(gz|xz|bz2|zst))?|\.squashfs)\z")]
    private static partial Regex Suffix();

    [GeneratedRegex(@"\Av?[0-9][A-Za-z0-9.+~^_-]*\z")]
    private static partial Regex VersionForm();
}
