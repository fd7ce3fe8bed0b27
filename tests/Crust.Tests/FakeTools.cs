using System.Runtime.InteropServices;
using Crust.Spec;
using Crust.Tools;
using Serilog.Core;

namespace Crust.Tests;

/// <summary>
/// Programs that play a script in place of the real ones, in a folder of their own. The script's commands are
/// described in Crust.Tests.FakeTool's `Player`; QEMU, for example:
/// <code>
/// connect
/// greet
/// expect qmp_capabilities
/// reply qmp_capabilities {}
/// event SHUTDOWN {"guest": true, "reason": "guest-shutdown"}
/// expect quit
/// reply quit {}
/// exit 0
/// </code>
/// </summary>
internal sealed class FakeTools : IDisposable
{
    private static readonly string Dotnet = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../../dotnet"));

    // .build/bin/Crust.Tests/debug/ → .build/bin/Crust.Tests.FakeTool/debug/
    private static readonly string Player = Path.Combine(AppContext.BaseDirectory, "../../Crust.Tests.FakeTool",
        Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)), "Crust.Tests.FakeTool.dll");

    public FakeTools()
    {
        Directory.CreateDirectory(Bin);
        Directory.CreateDirectory(Starter);
        File.CreateSymbolicLink(Path.Combine(Starter, "setpriv"), new ToolBox(HostEnvironment.Read().SearchPath, Logger.None).Require("setpriv"));
    }

    /// <summary>A private folder, deleted at the end: for the scripts' files and sockets.</summary>
    public string Folder { get; } = Directory.CreateTempSubdirectory("crust-fake-").FullName;

    /// <summary>The folder of the fake programs, to be put first in a PATH.</summary>
    public string Bin => Path.Combine(Folder, "bin");

    /// <summary>Finds the fake programs first, then the real ones.</summary>
    public ToolBox ToolBox => new([Bin, .. HostEnvironment.Read().SearchPath], Logger.None) { Environment = HostEnvironment.Read().Variables };

    /// <summary>Finds the fake programs, and of the real ones only what starts them.</summary>
    public ToolBox ToolBoxWithNothingElse => new([Bin, Starter], Logger.None);

    private string Starter => Path.Combine(Folder, "starter");

    /// <summary>Puts a program into the folder, or gives it another script.</summary>
    /// <returns>The program's path.</returns>
    public string Add(string program, params IEnumerable<string> script)
    {
        var scriptFile = Path.Combine(Folder, program + ".script");
        File.WriteAllLines(scriptFile, script.SelectMany(lines => lines.Split('\n')));
        var path = Path.Combine(Bin, program);
        File.WriteAllText(path, $"#!/bin/sh\nexec '{Dotnet}' '{Player}' '{scriptFile}' \"$@\"\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }

    /// <summary>Puts a program into the folder that does no more than a line of shell: it starts at once.</summary>
    public void AddShell(string program, string script)
    {
        var path = Path.Combine(Bin, program);
        File.WriteAllText(path, $"#!/bin/sh\n{script}\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>Takes a program away.</summary>
    public void Remove(string program) => File.Delete(Path.Combine(Bin, program));

    /// <summary>A file in the folder, for the script's commands `arguments`, `write` and `await`.</summary>
    public string FileFor(string name) => Path.Combine(Folder, name);

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
