using System.CommandLine;
using Crust.Content;
using Crust.Fleet;
using Crust.Formats;
using Crust.Recipes;
using Crust.Spec;
using Crust.Sysexts.Baking;

namespace Crust.Cli.Commands;

internal static class SchemaCommand
{
    private const string OfSpec = "spec";
    private const string OfRecipe = "recipe";
    private const string OfVersions = "versions";
    private const string OfNodes = "nodes";
    private const string OfContent = "content";

    public static Command Create()
    {
        var of = new Argument<string>("FILE")
        {
            Description = "What it is the schema of: a spec, a recipe, a list of versions, a list of nodes, or a bundle of content.",
            DefaultValueFactory = _ => OfSpec,
        };
        of.AcceptOnlyFromAmong(OfSpec, OfRecipe, OfVersions, OfNodes, OfContent);
        var command = new Command("schema", "Prints the JSON Schema of the spec, of a recipe, of versions.yaml, of nodes.yaml, or of content.yaml, for editors.") { of };
        command.SetAction(parse =>
        {
            parse.InvocationConfiguration.Output.Write(parse.GetRequiredValue(of) switch
            {
                OfRecipe => RecipeSchema.ToJson(),
                OfVersions => VersionsSchema.ToJson(),
                OfNodes => NodesSchema.ToJson(),
                OfContent => ContentSchema.ToJson(),
                _ => SpecSchema.ToJson(ImageFormats.ForSpec),
            });
            return (int)ExitCode.Done;
        });
        return command;
    }
}
