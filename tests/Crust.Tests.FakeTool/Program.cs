using Crust.Tests.FakeTool;

// Poses as another program: plays a script, one command a line. See Player for the commands.
//   Crust.Tests.FakeTool SCRIPT ARGUMENT…
try
{
    using var player = new Player(args[1..]);
    foreach (var line in File.ReadLines(args[0]))
    {
        if (line.Length > 0 && !line.StartsWith('#'))
        {
            player.Play(line);
        }
    }

    return 0;
}
catch (ScriptException e)
{
    // What the caller did isn't what the script expects: the test sees it in the program's last words.
    Console.Error.WriteLine($"fake tool: {e.Message}");
    return 70;
}
