using System.CommandLine;
using Crust.Cli.Progress;
using Crust.Cli.Views;
using Crust.Spec;
using Crust.Verification;

namespace Crust.Cli.Commands;

internal static class DoctorCommand
{
    public static Command Create()
    {
        var spec = new SpecOptions();
        var output = CommonOptions.Output();
        var json = CommonOptions.Json();
        var command = new Command("doctor", "Says what this host can do, what a build lacks here, and the commands that mend it.") { output, json };
        spec.AddTo(command);
        command.SetAction(async (parse, cancellation) =>
        {
            var environment = HostEnvironment.Take();
            var wanted = spec.Read(parse, environment);
            SshLogin.Of(wanted, MessageWriter.Of(parse).Hidden);
            await using var services = new CrustServices(environment, parse.GetRequiredValue(output), new Silence(), MessageWriter.Of(parse).Hidden);
            var diagnosis = await services.Doctor.ExamineAsync(wanted, cancellation);
            var to = parse.InvocationConfiguration;
            if (parse.GetValue(json))
            {
                to.Output.Write(diagnosis.ToJson());
            }
            else if (Console.IsOutputRedirected || !environment.HasCapableTerminal)
            {
                DoctorView.WriteLines(diagnosis, to.Output);
            }
            else
            {
                DoctorView.WriteTable(diagnosis, to.Output, environment.WantsColor);
            }

            return (int)(diagnosis.CanBuild ? ExitCode.Done : ExitCode.HostLacks);
        });
        return command;
    }
}
