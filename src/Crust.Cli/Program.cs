using Crust.Cli;

ProcessMemory.Protect();
using var signals = new CancelOnSignal();
return await CommandLine.RunAsync(args, Console.Out, Console.Error, signals.Token);
