using Crust.Cli;
using Crust.Storage;

StandardStreams.Open();
StandardStreams.SurviveFileSizeLimit();
ProcessMemory.Protect();
using var signals = new CancelOnSignal();
PipeInput.Ending = signals.Token;
using var error = new DetachedWriter(new GuardedWriter(StandardError.OpenText(), _ => { }), TimeProvider.System);
var exitCode = await CommandLine.RunAsync(args, Console.Out, error, signals.Token);
error.Drain(DetachedWriter.Patience);
return exitCode;
