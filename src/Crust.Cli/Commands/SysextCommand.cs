using System.CommandLine;

namespace Crust.Cli.Commands;

/// <summary>`crust sysext`: system extensions.</summary>
internal static class SysextCommand
{
    public static Command Create() => new("sysext", "Works with system extensions.") { SysextBuildCommand.Create(), SysextBakeCommand.Create(), SysextConvertCommand.Create(), SysextCheckCommand.Create(), SysextIndexCommand.Create(), SysextConfigCommand.Create(), SysextPublishCommand.Create() };
}
