using System.CommandLine;
using Crust.Formats;
using Crust.Spec;

namespace Crust.Cli.Commands;

internal static class SchemaCommand
{
    public static Command Create()
    {
        var command = new Command("schema", "Prints the JSON Schema of the spec, for editors.");
        command.SetAction(parse =>
        {
            parse.InvocationConfiguration.Output.Write(SpecSchema.ToJson(ImageFormats.ForSpec));
            return (int)ExitCode.Done;
        });
        return command;
    }
}
