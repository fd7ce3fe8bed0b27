using System.CommandLine;

namespace Crust.Cli.Commands;

internal static class CommonOptions
{
    public static Option<string> Output() => new("--output", "-o")
    {
        Description = "The folder for images, manifests and logs.",
        HelpName = "FOLDER",
        DefaultValueFactory = _ => "images",
    };

    public static Option<bool> Json() => new("--json")
    {
        Description = "Print one JSON document to standard output, and nothing else.",
    };

    public static Option<bool> Quiet() => new("--quiet", "-q")
    {
        Description = "Show no progress, only warnings and errors.",
    };
}
