using Crust.Cli;

using var signals = new CancelOnSignal();
return await CommandLine.RunAsync(args, signals.Token);
