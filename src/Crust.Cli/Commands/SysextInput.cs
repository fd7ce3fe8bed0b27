using System.Collections.Immutable;
using System.CommandLine;
using Crust.Bases;
using Crust.Recipes;
using Crust.Recipes.Building;
using Crust.Recipes.Sources;
using Crust.Spec;
using Crust.Sysexts;
using Crust.Sysexts.Sources;

namespace Crust.Cli.Commands;

/// <summary>What an extension is built from, as the command line says it.</summary>
internal sealed class SysextInput
{
    private static readonly string[] ArchiveEnds = [".tar", ".tgz", ".txz", .. Compression.All.Select(kind => ".tar" + kind.Extension)];

    private readonly RecipeOptions _recipes = new();

    private readonly Argument<string?> _source = new("SOURCE")
    {
        Description = "A recipe, NAME[@VERSION]; a folder or a tar archive, which may be compressed, with usr and opt at its top; or an OCI image, whose last layer is taken: a layout, an archive, or docker://NAME.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Option<string> _packages = new("--packages") { Description = "Debian packages in place of a source, with commas between them, without those that they depend on.", HelpName = "NAMES" };

    private readonly Option<string> _suite = new("--suite") { Description = "The release of Debian that the packages are of.", HelpName = "NAME" };

    private readonly Option<string> _name = new("--name") { Description = "Its name, and the version in its file's name; those of the recipe, or the source's base name, if it isn't there.", HelpName = "NAME[@VERSION]" };

    private readonly Option<string> _variant = new("--variant") { Description = "The recipe's variant.", HelpName = "NAME" };

    public void AddTo(Command command)
    {
        command.Add(_source);
        foreach (var option in new Option[] { _packages, _suite, _name, _variant, _recipes.Lock, _recipes.Mirror, _recipes.MirrorMap, _recipes.Folder })
        {
            command.Add(option);
        }
    }

    /// <summary>The extension's name, and its version where there is one.</summary>
    /// <exception cref="CrustException">Nothing is named, or two things are, or there is no such recipe.</exception>
    public (string Name, string? Version) NameOf(ParseResult parse)
    {
        var (source, packages) = (parse.GetValue(_source), parse.GetValue(_packages));
        if (source is null == packages is null)
        {
            throw new CrustException(FailureKind.BadInput, source is null ? "Nothing is named that it could be built from" : "It can't be built from two sources", source ?? "--packages",
                "name a recipe, a folder, an archive or an image, or packages with --packages");
        }

        if (parse.GetValue(_suite) is { } suite && packages is null)
        {
            throw new CrustException(FailureKind.BadInput, "Only packages are of a release", $"--suite {suite}", "leave it out, or name packages with --packages");
        }

        if (parse.GetValue(_name) is { } name)
        {
            return RecipeCommand.Parse(name);
        }

        if (source is null || !IsRecipe(source))
        {
            return (source is null ? packages!.Split(',')[0] : BaseName(source), null);
        }

        var (recipe, version) = RecipeCommand.Parse(source);
        return (recipe, new RecipePicks(_recipes.BookOf(parse), _recipes.LockOf(parse)).Of(recipe, version).Version.Version);
    }

    /// <summary>Its files.</summary>
    /// <param name="pull">How registries are pulled from.</param>
    /// <exception cref="CrustException">They can't be had.</exception>
    public async Task<SysextContent> ReadAsync(ParseResult parse, CrustServices services, SysextPlan plan, PublishSpec pull, string scratch, CancellationToken cancellation)
    {
        if (parse.GetValue(_source) is { } source && IsRecipe(source))
        {
            var (recipe, version) = RecipeCommand.Parse(source);
            var wish = new RecipeWish(recipe, version, plan.Arch, RecipeUse.Sysext, parse.GetValue(_variant));
            return SysextContent.Of(await services.RecipeTrees.BuildAsync(_recipes.BookOf(parse), _recipes.LockOf(parse), wish, _recipes.MirrorsOf(parse), cancellation));
        }

        ImmutableArray<string> packages = [.. (parse.GetValue(_packages) ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)];
        return await services.SysextSource.ReadAsync(parse.GetValue(_source), packages, parse.GetValue(_suite), plan, pull, scratch, cancellation);
    }

    // What is there is meant, and what looks like a path.
    private static bool IsRecipe(string source) => !OciSource.IsRegistry(source) && !Path.Exists(source) && !source.Contains('/') && ArchiveEnds.All(end => !source.EndsWith(end, StringComparison.Ordinal));

    // docker://registry:5000/team/tool:1.2 is tool, tool.tar.gz too.
    internal static string BaseName(string source) => OciSource.IsRegistry(source) ? RegistryReference.NameOf(source)
        : Path.GetFileName(Path.TrimEndingDirectorySeparator(source)) is var name && ArchiveEnds.FirstOrDefault(end => name.EndsWith(end, StringComparison.Ordinal)) is { } end ? name[..^end.Length] : name;
}
