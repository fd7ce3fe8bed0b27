using System.CommandLine;
using Crust.Formats;
using Crust.Recipes;
using Crust.Spec;

namespace Crust.Cli.Commands;

internal static class SchemaCommand
{
    private const string OfSpec = "spec";
    private const string OfRecipe = "recipe";

    public static Command Create()
    {
        var of = new Argument<string>("FILE") { Description = "What it is the schema of: a spec, or a recipe.", DefaultValueFactory = _ => OfSpec };
        of.AcceptOnlyFromAmong(OfSpec, OfRecipe);
        var command = new Command("schema", "Prints the JSON Schema of the spec, or of a recipe, for editors.") { of };
        command.SetAction(parse =>
        {
            parse.InvocationConfiguration.Output.Write(parse.GetRequiredValue(of) == OfRecipe ? RecipeSchema.ToJson() : SpecSchema.ToJson(ImageFormats.ForSpec));
            return (int)ExitCode.Done;
        });
        return command;
    }
}
