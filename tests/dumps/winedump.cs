// SPDX-License-Identifier: MIT
// Runs dotnet-dump, whose files lie in the folder DOTNET_DUMP_FILES, as a program with its own runtime: the tool has none for
// Windows, and reads only dumps of the system that it runs on.
using System;
using System.IO;
using System.Runtime.Loader;

public static class WineDump {
	public static int Main(string[] args) {
		string folder = Environment.GetEnvironmentVariable("DOTNET_DUMP_FILES");
		AssemblyLoadContext here = AssemblyLoadContext.Default;
		here.Resolving += delegate(AssemblyLoadContext context, System.Reflection.AssemblyName name) {
			string path = Path.Combine(folder, name.Name + ".dll");
			return File.Exists(path) ? context.LoadFromAssemblyPath(path) : null;
		};
		object status = here.LoadFromAssemblyPath(Path.Combine(folder, "dotnet-dump.dll")).EntryPoint.Invoke(null, new object[] { args });
		return status is int ? (int)status : 0;
	}
}
