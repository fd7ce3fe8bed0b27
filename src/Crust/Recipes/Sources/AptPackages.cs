using System.Collections.Immutable;
using Crust.Spec;
using Crust.Storage;
using Crust.Tools;

namespace Crust.Recipes.Sources;

/// <summary>Asks apt where Debian packages are, and by which sums, for any architecture: with lists of its own, so that this host's system isn't touched.</summary>
/// <param name="tools">Needs apt-get.</param>
/// <param name="cacheFolder">Where its lists are meanwhile.</param>
internal sealed class AptPackages(ToolBox tools, string cacheFolder)
{
    /// <summary>The folder with the sources and their keys.</summary>
    public string Sources { get; init; } = "/etc/apt";

    /// <summary>Where a package of a recipe's version is, and its SHA-256. apt has checked who signed the list that says so.</summary>
    /// <exception cref="CrustException">There is none, or one of another version.</exception>
    public async Task<(Uri Url, string Sha256)> FindAsync(RecipePick pick, string package, Arch arch, CancellationToken cancellation)
    {
        var found = await AskAsync(pick.Recipe, package, arch, cancellation);
        return found.Upstream == pick.Version.Version ? (found.Url, found.Sha256)
            : throw new CrustException(FailureKind.BadInput, $"apt has {package} {found.Version}, not {pick.Version.Version}", $"{pick.Recipe.Path}; {Sources}",
                $"lock {pick.Recipe.Name}@{found.Upstream}, or lock it on a Debian that has {pick.Version.Version}");
    }

    /// <summary>The version of a package that apt would take, as upstream counts it: without Debian's epoch and revision.</summary>
    /// <exception cref="CrustException">There is none.</exception>
    public async Task<string> VersionOfAsync(Recipe recipe, string package, CancellationToken cancellation) =>
        (await AskAsync(recipe, package, recipe.Downloads.Single(download => download.Package == package).Archs[0], cancellation)).Upstream;

    private async Task<Found> AskAsync(Recipe recipe, string package, Arch arch, CancellationToken cancellation)
    {
        using var scratch = new ScratchFolder(cacheFolder);
        foreach (var folder in new[] { "state/lists/partial", "cache/archives/partial" })
        {
            Directory.CreateDirectory(Path.Combine(scratch.Path, folder));
        }

        await File.WriteAllTextAsync(Path.Combine(scratch.Path, "status"), "", cancellation);
        // Nothing of this host's apt but its sources and keys: its configuration may have hooks, which are programs.
        await File.WriteAllTextAsync(Path.Combine(scratch.Path, "apt.conf"), $"""
            Dir::Etc "{Sources}";
            Dir::Etc::main "/dev/null";
            Dir::Etc::parts "/dev/null";
            Dir::State "{scratch.Path}/state";
            Dir::State::status "{scratch.Path}/status";
            Dir::Cache "{scratch.Path}/cache";
            APT::Architecture "{arch.LowerName()}";
            APT::Architectures "{arch.LowerName()}";
            APT::Sandbox::User "root";
            Acquire::Languages "none";

            """, cancellation);
        try
        {
            await RunAsync(scratch, ["-q", "--error-on=any", "update"], cancellation);
        }
        catch (ToolFailedException e)
        {
            throw new CrustException(FailureKind.InputOutput, $"apt can't read its package lists: {e.What}", Sources, "check this host's network, and the sources and keys of its apt", e);
        }

        return Read(await PrintAsync(scratch, recipe, package, arch, cancellation), package, arch);
    }

    private async Task<string> PrintAsync(ScratchFolder scratch, Recipe recipe, string package, Arch arch, CancellationToken cancellation)
    {
        try
        {
            return (await RunAsync(scratch, ["-qq", "--print-uris", "download", package], cancellation)).Output;
        }
        catch (ToolFailedException e)
        {
            throw new CrustException(FailureKind.BadInput, $"apt knows no package {package} for {arch.LowerName()}: {e.What}", $"{recipe.Path}; {Sources}",
                "lock it on a Debian that has it, or add such a source to apt's", e);
        }
    }

    // 'URL' NAME_VERSION_ARCH.deb SIZE SHA256:SUM
    private Found Read(string output, string package, Arch arch)
    {
        var words = output.Split('\n').Select(line => line.Split(' ')).FirstOrDefault(words => words is [_, _, _, _] && words[3].StartsWith("SHA256:", StringComparison.Ordinal));
        if (words is null || !Uri.TryCreate(words[0].Trim('\''), UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https")
            || Checksum.ValueOf(words[3]["SHA256:".Length..]) is not { } sum)
        {
            throw new CrustException(FailureKind.BadInput, $"apt doesn't say by http or https where {package} for {arch.LowerName()} is", Sources,
                "add a source with http or https URLs and SHA-256 sums to apt's");
        }

        var version = words[1].Split('_') is [_, var full, _] ? Uri.UnescapeDataString(full) : "";
        var upstream = version[(version.IndexOf(':') + 1)..];
        upstream = upstream.LastIndexOf('-') is var dash and > 0 ? upstream[..dash] : upstream;
        return new Found(url, sum, version, upstream);
    }

    private Task<ToolResult> RunAsync(ScratchFolder scratch, string[] arguments, CancellationToken cancellation) =>
        tools.RunAsync(ToolCommand.Of("apt-get", arguments) with
        {
            Environment = ImmutableDictionary<string, string>.Empty.Add("APT_CONFIG", Path.Combine(scratch.Path, "apt.conf")),
            Inherits = ToolEnvironment.Proxies,
        }, cancellation);

    /// <param name="Version">Debian's version.</param>
    /// <param name="Upstream">The version without Debian's epoch and revision.</param>
    private sealed record Found(Uri Url, string Sha256, string Version, string Upstream);
}
