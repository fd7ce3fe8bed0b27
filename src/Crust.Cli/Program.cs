using Crust.Cli;

using var signals = new CancelOnSignal();
return await CommandLine.RunAsync(args, Console.Out, Console.Error, signals.Token);
