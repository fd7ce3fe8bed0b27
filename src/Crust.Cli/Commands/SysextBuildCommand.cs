using System.CommandLine;

namespace Crust.Cli.Commands;

/// <summary>`crust sysext build`: a system extension from a recipe, files, an image or packages.</summary>
internal static class SysextBuildCommand
{
    public static Command Create()
    {
        var (plan, input) = (new SysextPlanOptions(), new SysextInput());
        var command = new Command("build", "Builds a system extension: the same bytes from the same input.");
        plan.AddTo(command);
        input.AddTo(command);
        command.SetAction((parse, cancellation) => plan.RunAsync(parse, () => input.NameOf(parse), (services, wanted, pull, scratch, token) => input.ReadAsync(parse, services, wanted, pull, scratch, token), cancellation));
        return command;
    }
}
