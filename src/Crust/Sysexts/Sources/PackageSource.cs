using System.Collections.Immutable;
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

    /// <summary>The files of the packages that are named, without those that they depend on.</summary>
    /// <exception cref="CrustException">There is no such package, or it can't be fetched.</exception>
    public async Task<FileTree> ReadAsync(ImmutableArray<string> packages, string name, Arch arch, string scratch, CancellationToken cancellation)
    {
        if (packages.FirstOrDefault(package => !PackageName().IsMatch(package)) is { } wrong)
        {
            throw new CrustException(FailureKind.BadInput, $"'{wrong}' is no name of a Debian package", "--packages", "write names with commas between them: crun,libyajl2");
        }

        File.Copy(Path.Combine(builder, "sysext", Script), Path.Combine(scratch, Script));
        try
        {
            await tools.RunAsync(new Mmdebstrap { Variant = "extract", Arch = arch, Packages = packages, Folder = scratch, Output = "packages.tar", Script = Script }.Command((_, _) => { }), cancellation);
        }
        catch (ToolFailedException e) when (e.Result.Error.Contains("Unable to locate package", StringComparison.Ordinal))
        {
            throw new CrustException(FailureKind.BadInput, $"Debian {Mmdebstrap.Suite} has no such package: {UnknownPackage().Match(e.Result.Error).Groups["name"].Value}", "--packages", "look it up: apt-cache search", e);
        }

        var all = FileTree.FromTar(Path.Combine(scratch, "packages.tar"), allowDevices: true).Entries
            .Where(entry => entry.Path.StartsWith(Folder, StringComparison.Ordinal) && entry.Kind is EntryKind.File).ToDictionary(entry => entry.Name.Split('_')[0]);
        var trees = new List<FileTree>();
        foreach (var package in packages)
        {
            var tar = Path.Combine(scratch, $"{package}.tar");
            await using (var file = File.Create(tar))
            {
                var entry = all.GetValueOrDefault(package) ?? throw new CrustException(FailureKind.BadInput, $"Another package stands for {package} in Debian {Mmdebstrap.Suite}", "--packages", "name that package itself");
                foreach (var piece in entry.Content.Pieces())
                {
                    await file.WriteAsync(piece, cancellation);
                }
            }

            trees.Add(FileTree.FromTar(tar));
        }

        return SystemTree.ToExtension(trees, name);
    }

    // Debian Policy, 5.6.1.
    [GeneratedRegex(@"\A[a-z0-9][a-z0-9+.-]+\z")]
    private static partial Regex PackageName();

    [GeneratedRegex(@"Unable to locate package (?<name>\S+)")]
    private static partial Regex UnknownPackage();
}
