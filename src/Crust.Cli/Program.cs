using Crust.Cli;
using Crust.Storage;

StandardStreams.Open();
StandardStreams.SurviveFileSizeLimit();
ProcessMemory.Protect();
using var signals = new CancelOnSignal();
PipeInput.Ending = signals.Token;
return await CommandLine.RunAsync(args, Console.Out, Console.Error, signals.Token);
