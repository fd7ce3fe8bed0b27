using System.Collections.Immutable;
using Crust.Sanitizing;
using Crust.Spec;
using Crust.Trees;

namespace Crust.Media;

/// <summary>What a live medium takes from a base to boot it: kernel, initramfs, and the boot loaders of UEFI. Links are followed inside the base, never on this
/// host.</summary>
/// <param name="Kernel">The kernel.</param>
/// <param name="Initrd">Its initramfs.</param>
/// <param name="Version">The kernel's version, by the folder of its modules; null if that isn't known.</param>
/// <param name="Others">The paths of kernels that are there, too.</param>
internal sealed record BaseBoot(TreeEntry Kernel, TreeEntry Initrd, string? Version, ImmutableArray<string> Others)
{
    private const string Boot = "boot";

    // As kairos-agent looks for them (agent/pkg/elemental/elemental.go, FindKernelInitrd).
    private static readonly string[] KernelNames = ["uImage", "Image", "zImage", "vmlinuz", "image"];
    private static readonly string[] InitrdNames = ["initrd", "initramfs"];

    // Left by package managers, or of another purpose.
    private static readonly string[] NotMeant = [".old", ".bak", "kdump", "rescue", ".sig", ".hmac", ".kdump"];

    private static readonly string[] ModuleFolders = ["usr/lib/modules", "lib/modules"];

    /// <param name="shown">What the base is called in errors.</param>
    /// <exception cref="CrustException">It has no kernel, or no initramfs of it.</exception>
    public static BaseBoot Of(FileTree tree, string shown)
    {
        var versions = VersionsIn(tree);
        var kernels = Candidates(tree, KernelNames);
        if (kernels.Count == 0)
        {
            throw Missing("kernel", KernelNames, shown, "install a kernel in the base image, such as linux-image-generic or kernel-default");
        }

        var (name, kernel) = Choose(kernels);
        var version = VersionOf(kernel, versions) ?? VersionOf(name, versions) ?? (versions is [var only] ? only : null);
        var initrds = Candidates(tree, InitrdNames);
        if (initrds.Count == 0)
        {
            throw Missing("initramfs", InitrdNames, shown, "make one in the base image: dracut --no-hostonly --add 'dmsquash-live livenet' /boot/initrd VERSION");
        }

        // The initramfs of that kernel, where names say so: the link `initrd` may be older than `vmlinuz`.
        var own = version is null ? [] : initrds.Where(one => one.Entry.Path.Contains(version, StringComparison.Ordinal)).ToList();
        var initrd = Choose(own.Count > 0 ? own : initrds).Entry;
        return new BaseBoot(kernel, initrd, version, [.. kernels.Select(one => one.Entry.Path).Where(path =>
            path != kernel.Path).Distinct().Order(StringComparer.Ordinal)]);
    }

    /// <summary>The folder with the kernel's modules, without a slash at its end; null if there is none.</summary>
    public string? ModulesIn(FileTree tree) => Version is null ? null : ModuleFolders.Select(folder => tree.Follow($"{folder}/{Version}")?.Path).FirstOrDefault(path =>
        path is not null);

    // A name that is a word by itself was made to be found: a link to the kernel that boots.
    private static (string Name, TreeEntry Entry) Choose(List<(string Name, TreeEntry Entry)> found) =>
        found.FirstOrDefault(one => !one.Name.Contains('-')) is { Entry: not null } plain ? plain : found[^1];

    private static List<(string Name, TreeEntry Entry)> Candidates(FileTree tree, string[] names)
    {
        var boot = tree.Follow(Boot)?.Path ?? Boot;
        return
        [
            .. from entry in tree.Entries
               where entry.Path.StartsWith(boot + "/", StringComparison.Ordinal) && entry.Path.IndexOf('/', boot.Length + 1) < 0
               where names.Any(name => entry.Name.StartsWith(name, StringComparison.Ordinal)) && !NotMeant.Any(part => entry.Name.Contains(part,
                   StringComparison.Ordinal))
               let file = tree.Follow(entry.Path)
               where file is { Kind: EntryKind.File, Content.Length: > 0 }
               select (entry.Name, file!),
        ];
    }

    private static List<string> VersionsIn(FileTree tree)
    {
        foreach (var folder in ModuleFolders)
        {
            if (tree.Follow(folder)?.Path is not { } real)
            {
                continue;
            }

            var versions = tree.Entries.Where(entry => entry.Kind is EntryKind.Folder && entry.Path.StartsWith(real + "/", StringComparison.Ordinal)
                && entry.Path.IndexOf('/', real.Length + 1) < 0)
                .Select(entry => entry.Name).ToList();
            if (versions.Count > 0)
            {
                return versions;
            }
        }

        return [];
    }

    private static string? VersionOf(TreeEntry kernel, List<string> versions) => VersionOf(kernel.Path, versions);

    // The longest that fits: 6.1.0-1 is the beginning of 6.1.0-18-amd64, too.
    private static string? VersionOf(string name, List<string> versions) =>
        versions.Where(version => name.EndsWith(version, StringComparison.Ordinal) || name.Contains($"/{version}/", StringComparison.Ordinal)).MaxBy(version =>
            version.Length);

    private static CrustException Missing(string what, string[] names, string shown, string remedy) =>
        new(FailureKind.BadInput, $"The base has no {what} in /{Boot}: no file, and no link to one inside the base, whose name begins with {Nearest.Or(names)}",
            CleanText.Line(shown), remedy);
}
