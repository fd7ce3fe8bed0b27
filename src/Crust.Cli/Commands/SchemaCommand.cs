using System.CommandLine;
using Crust.Content;
using Crust.Fleet;
using Crust.Formats;
using Crust.Providers;
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
    private const string OfProvider = "provider";

    public static Command Create()
    {
        var of = new Argument<string>("FILE") { Description = "What it is the schema of.", DefaultValueFactory = _ => OfSpec };
        of.AcceptOnlyFromAmong(OfSpec, OfRecipe, OfVersions, OfNodes, OfContent, OfProvider);
        var command = new Command("schema", "Prints the JSON Schema of the spec, or of another of Crust's files, for editors.") { of };
        command.SetAction(parse =>
        {
            parse.InvocationConfiguration.Output.Write(parse.GetRequiredValue(of) switch
            {
                OfRecipe => RecipeSchema.ToJson(),
                OfVersions => VersionsSchema.ToJson(),
                OfNodes => NodesSchema.ToJson(),
                OfContent => ContentSchema.ToJson(),
                OfProvider => ProviderSchema.ToJson(),
                _ => SpecSchema.ToJson(ImageFormats.ForSpec),
            });
            return (int)ExitCode.Done;
        });
        return command;
    }
}
