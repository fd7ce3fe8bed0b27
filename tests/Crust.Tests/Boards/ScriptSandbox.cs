using System.Collections.Immutable;
using Crust.Spec;
using Crust.Tests.Spec;
using Crust.Tools;
using Serilog.Core;

namespace Crust.Tests.Boards;

/// <summary>A folder that a script of the image takes for the root, with programs in place of those that would touch this host.</summary>
internal sealed class ScriptSandbox : IDisposable
{
    private static readonly ToolBox Tools = new(HostEnvironment.Read().SearchPath, Logger.None);

    private readonly ImmutableDictionary<string, string> _environment;

    public ScriptSandbox()
    {
        Root = Directory.CreateTempSubdirectory("crust-script-").FullName;
        Directory.CreateDirectory(PathOf("stubs"));
        _environment = ImmutableDictionary<string, string>.Empty.Add("CRUST_ROOT", Root).Add("PATH", $"{PathOf("stubs")}:{string.Join(':', HostEnvironment.Read().SearchPath)}");
    }

    public string Root { get; }

    public string PathOf(string name) => Path.Combine(Root, name.TrimStart('/'));

    public bool Has(string name) => File.Exists(PathOf(name));

    public string Read(string name) => File.ReadAllText(PathOf(name));

    public void Write(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(PathOf(name))!);
        File.WriteAllText(PathOf(name), text);
    }

    /// <summary>A program that notes its arguments in the file `calls`, and then does what the lines say.</summary>
    public string Program(string name, string lines = "")
    {
        Write(name, $"#!/bin/sh\necho \"{Path.GetFileName(name)} $*\" >>{PathOf("calls")}\n{lines}\n");
        File.SetUnixFileMode(PathOf(name), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return PathOf(name);
    }

    /// <summary>What the programs were called with, a call a line.</summary>
    public IEnumerable<string> Calls => Has("calls") ? File.ReadAllLines(PathOf("calls")).Select(line => line.TrimEnd()) : [];

    /// <summary>Runs a script of `builder/`.</summary>
    public async Task<ToolResult> RunAsync(string interpreter, string script, IEnumerable<string> arguments, params (string Name, string Value)[] variables) => await Tools.RunAsync(
        ToolCommand.Of(interpreter, [RepositoryFile.PathOf($"builder/{script}"), .. arguments]) with
        {
            Environment = _environment.AddRange(variables.Select(variable => KeyValuePair.Create(variable.Name, variable.Value))),
            SuccessCodes = [0, 1],
        }, TestContext.CurrentContext.CancellationToken);

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
