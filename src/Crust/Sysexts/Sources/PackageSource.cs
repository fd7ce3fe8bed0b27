using System.Collections.Immutable;
using System.Text;
using System.Text.RegularExpressions;
using Crust.Appliance;
using Crust.Spec;
using Crust.Tools;
using Crust.Trees;

namespace Crust.Sysexts.Sources;

/// <summary>The files of Debian packages, checked by apt and unpacked; nothing of them runs.</summary>
/// <param name="tools">Needs mmdebstrap, apt and dpkg-deb.</param>
/// <param name="builder">The folder with Crust's own scripts.</param>
internal sealed partial class PackageSource(ToolBox tools, string builder)
{
    private const string Script = "packages.sh";
    private const string Folder = "crust-packages/";
    private const int LongestSum = 128;

    /// <summary>The files of the packages that are named, without those that they depend on.</summary>
    /// <param name="suite">The release of Debian; null for the one that Crust itself builds from.</param>
    /// <exception cref="CrustException">There is no such package, or it can't be fetched.</exception>
    public Task<SysextContent> ReadAsync(ImmutableArray<string> packages, string? suite, string name, Arch arch, string scratch, CancellationToken cancellation) =>
        ReadAsync(packages, suite, name, arch, takesRoot: false, scratch, cancellation);

    private async Task<SysextContent> ReadAsync(ImmutableArray<string> packages, string? suite, string name, Arch arch, bool takesRoot, string scratch, CancellationToken cancellation)
    {
        if (packages.FirstOrDefault(package => !PackageName().IsMatch(package)) is { } wrong)
        {
            throw new CrustException(FailureKind.BadInput, $"'{wrong}' is no name of a Debian package", "--packages", "write names with commas between them: crun,libyajl2");
        }

        var release = suite ?? Mmdebstrap.Suite;
        if (!SuiteName().IsMatch(release))
        {
            throw new CrustException(FailureKind.BadInput, $"'{release}' is no name of a release of Debian", "--suite", "write one such as bookworm or trixie");
        }

        // Without the root, nothing of what the packages depend on has to be downloaded and unpacked.
        var names = takesRoot ? "" : string.Join(' ', packages);
        await File.WriteAllTextAsync(Path.Combine(scratch, Script), $"names='{names}'\n{await File.ReadAllTextAsync(Path.Combine(builder, "sysext", Script), cancellation)}", cancellation);
        try
        {
            await tools.RunAsync(new Mmdebstrap { Release = release, Variant = "extract", Arch = arch, Packages = takesRoot ? packages : [], Folder = scratch, Output = "packages.tar", Script = Script }.Command((_, _) => { }), cancellation);
        }
        catch (ToolFailedException e) when (e.Result.Error.Contains("Unable to locate package", StringComparison.Ordinal))
        {
            throw new CrustException(FailureKind.BadInput, $"Debian {release} has no such package: {UnknownPackage().Match(e.Result.Error).Groups["name"].Value}", "--packages", "look it up: apt-cache search", e);
        }
        catch (ToolFailedException e) when (NoCandidate().Match(e.Result.Error) is { Success: true } virtuals)
        {
            throw Stands(virtuals.Groups["name"].Value, release, e);
        }

        // NAME_VERSION_ARCHITECTURE, where a colon is written as %3a.
        var all = FileTree.FromTar(Path.Combine(scratch, "packages.tar"), allowDevices: true).Entries
            .Where(entry => entry.Path.StartsWith(Folder, StringComparison.Ordinal) && entry.Kind is EntryKind.File)
            .ToLookup(entry => entry.Name.Split('_')[0]);
        var (trees, parts) = (new List<FileTree>(), ImmutableArray.CreateBuilder<SysextPart>());
        foreach (var package in packages)
        {
            var tar = Path.Combine(scratch, $"{package}.tar");
            await using (var file = File.Create(tar))
            {
                var entry = all[package].FirstOrDefault(one => one.Name.EndsWith(".tar", StringComparison.Ordinal)) ?? throw Stands(package, release, null);
                foreach (var piece in entry.Content.Pieces())
                {
                    await file.WriteAsync(piece, cancellation);
                }

                parts.Add(PartOf(entry.Name[..^".tar".Length], all[package].First(one => one.Name.EndsWith(".sha256", StringComparison.Ordinal)), release));
            }

            trees.Add(FileTree.FromTar(tar));
        }

        return new SysextContent(SystemTree.ToExtension(trees, name), parts.DrainToImmutable());
    }

    /// <summary>The root that packages make with all that they depend on. Nothing is configured in it: what their scripts would do isn't done.</summary>
    /// <exception cref="CrustException">There is no such package, or it can't be fetched.</exception>
    /// <param name="suite">The release of Debian; null for the one that Crust itself builds from.</param>
    public async Task<SysextContent> ReadRootAsync(ImmutableArray<string> packages, string? suite, Arch arch, string scratch, CancellationToken cancellation)
    {
        // mmdebstrap has unpacked all of them, beside the archives that are taken one by one.
        var content = await ReadAsync(packages, suite, packages[0], arch, takesRoot: true, scratch, cancellation);
        return content with { Tree = FileTree.FromTar(Path.Combine(scratch, "packages.tar"), allowDevices: true).Without(Folder.TrimEnd('/')) };
    }

    private static CrustException Stands(string package, string release, Exception? inner) =>
        new(FailureKind.BadInput, $"Another package stands for {package} in Debian {release}", "--packages", "name that package itself", inner);

    private static SysextPart PartOf(string file, TreeEntry sum, string release)
    {
        var words = file.Split('_');
        var version = Uri.UnescapeDataString(words[1]);
        var sha256 = Encoding.ASCII.GetString(sum.Content.Read(0, LongestSum)).Trim();
        return new SysextPart(words[0])
        {
            Version = version,
            PackageUrl = $"pkg:deb/debian/{words[0]}@{Uri.EscapeDataString(version)}?arch={words[^1]}&distro={release}",
            Files = [new PartFile(file + ".deb", sha256, null)],
        };
    }

    [GeneratedRegex(@"\A[a-z][a-z0-9-]*\z")]
    private static partial Regex SuiteName();

    // Debian Policy, 5.6.1.
    [GeneratedRegex(@"\A[a-z0-9][a-z0-9+.-]+\z")]
    private static partial Regex PackageName();

    [GeneratedRegex(@"Unable to locate package (?<name>\S+)")]
    private static partial Regex UnknownPackage();

    [GeneratedRegex(@"Can't select candidate version from package (?<name>\S+)")]
    private static partial Regex NoCandidate();
}
