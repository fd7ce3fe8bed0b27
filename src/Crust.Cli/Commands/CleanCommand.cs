using System.CommandLine;
using Crust.Cli.Progress;
using Crust.Spec;

namespace Crust.Cli.Commands;

internal static class CleanCommand
{
    public static Command Create()
    {
        var command = new Command("clean", "Removes the cache: installers, appliances, installed disks, downloads. Images stay.");
        command.SetAction(parse =>
        {
            var cache = HostEnvironment.Take().CacheFolder;
            if (Directory.Exists(cache))
            {
                Directory.Delete(cache, recursive: true);
            }

            MessageWriter.Of(parse).Inform($"crust: removed {cache}");
            return (int)ExitCode.Done;
        });
        return command;
    }
}
