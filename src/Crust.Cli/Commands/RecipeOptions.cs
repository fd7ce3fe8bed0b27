using System.CommandLine;
using Crust.Recipes;
using Crust.Recipes.Sources;
using Crust.Spec;

namespace Crust.Cli.Commands;

/// <summary>The options of commands that lock or fetch recipes.</summary>
internal sealed class RecipeOptions
{
    public Argument<string[]> Names { get; } = new("NAME[@VERSION]")
    {
        Description = "The recipes, each perhaps with a version; otherwise the locked one, or the newest that the recipe pins. What belongs to them comes with them.",
        Arity = ArgumentArity.OneOrMore,
    };

    public Option<Arch[]> Archs { get; } = new("--arch")
    {
        Description = "An architecture: amd64 or arm64. Once or several times.",
        HelpName = "ARCH",
        CustomParser = result => [.. result.Tokens.Select(token => Enum.GetValues<Arch>().Cast<Arch?>().FirstOrDefault(arch => arch!.Value.LowerName() == token.Value)
            ?? throw new CrustException(FailureKind.BadInput, $"'{token.Value}' is no architecture", $"--arch {token.Value}", "write amd64 or arm64"))],
    };

    public Option<string> Lock { get; } = new("--lock") { Description = "The lock file.", HelpName = "FILE", DefaultValueFactory = _ => LockFile.DefaultName };

    public Option<string?> Mirror { get; } = new("--mirror") { Description = "A server that has what upstream has, in a folder for each of upstream's hosts.", HelpName = "URL" };

    public Option<string?> MirrorMap { get; } = new("--mirrors") { Description = $"A file with a map of mirrors ({Mirrors.DefaultName} if it is there).", HelpName = "FILE" };

    public Option<string> Folder { get; } = RecipeCommand.Folder();

    public Option<bool> Json { get; } = CommonOptions.Json();

    public Option<bool> Quiet { get; } = CommonOptions.Quiet();

    public void AddTo(Command command)
    {
        command.Add(Names);
        foreach (var option in new Option[] { Archs, Lock, Mirror, MirrorMap, Folder, Json, Quiet })
        {
            command.Add(option);
        }
    }

    public RecipeBook BookOf(ParseResult parse) => RecipeCommand.BookOf(parse.GetValue(Folder));

    public LockFile LockOf(ParseResult parse) => LockFile.ReadIfThere(Path.GetFullPath(parse.GetRequiredValue(Lock)));

    public Mirrors MirrorsOf(ParseResult parse)
    {
        var map = parse.GetValue(MirrorMap) ?? (File.Exists(Mirrors.DefaultName) ? Mirrors.DefaultName : null);
        var mirrors = map is null ? Mirrors.None : Mirrors.Read(map);
        return parse.GetValue(Mirror) is { } all ? mirrors.WithAll(all) : mirrors;
    }

    public IReadOnlyList<IReadOnlyList<RecipePick>> PicksOf(ParseResult parse, RecipeBook book, LockFile locked)
    {
        var picks = new RecipePicks(book, locked);
        return [.. parse.GetRequiredValue(Names).Select(RecipeCommand.Parse).Select(wanted => picks.WithDependents(wanted.Name, wanted.Version))];
    }
}
