// SPDX-License-Identifier: MIT
// Ends in the way its first argument names, and says before that, on a line "oracle {…}" of stderr, what a dump of it is to
// hold: thread, and of each exception type, message, HRESULT and trace, as .NET's own reflection has them.
using System;
using System.Collections.Generic;
using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using System.Threading;
using System.Threading.Tasks;

namespace Shop {
	public class OrderException : Exception {
		public OrderException(string message, Exception inner) : base(message, inner) { HResult = unchecked((int)0x80131999); }
	}

	public class SilentException : Exception { }

	public static class Orders {
		[MethodImpl(MethodImplOptions.NoInlining)]
		public static void Load(int id) {
			if (id == 42) throw new InvalidOperationException("order " + id.ToString() + " has no customer \u00e9\u4e2d");
			Load(id + 1);
		}

		[MethodImpl(MethodImplOptions.NoInlining)]
		public static void Process(int id) {
			try { Load(id); } catch (InvalidOperationException e) { throw new OrderException("could not process order", e); }
		}

		public static async Task<int> LoadAsync(int id) {
			await Task.Delay(5);
			Load(id);
			return id;
		}

		public static async Task<int> ProcessAsync(int id) {
			try { return await LoadAsync(id); } catch (InvalidOperationException e) { throw new OrderException("could not process order \U0001F4A5", e); }
		}

		public static async void Forget(int id) { await ProcessAsync(id); }
	}

	public class Box<T> {
		public class Lid<U> {
			[MethodImpl(MethodImplOptions.NoInlining)]
			public V Open<V>(T content, U key, V otherwise) {
				if (content != null) throw new KeyNotFoundException(typeof(T).Name + " " + typeof(U).Name + " " + typeof(V).Name);
				return otherwise;
			}
		}

		[MethodImpl(MethodImplOptions.NoInlining)]
		public int Put<U>(T content, U key) { return new Lid<U>().Open(content, key, 7); }
	}

	public class Worker {
		public string Mode;

		public void Run() {
			switch (Mode) {
			case "nullref": string s = null; Console.WriteLine(s.Length.ToString()); break;
			case "so": Deep(0); break;
			case "failfast": Environment.FailFast("kudump failfast message \u00e9"); break;
			case "failfastex": FailFast(); break;
			case "async": Orders.ProcessAsync(40).GetAwaiter().GetResult(); break;
			case "asyncvoid": Orders.Forget(40); Thread.Sleep(600000); break;
			case "pool": ThreadPool.QueueUserWorkItem(delegate { Orders.Process(40); }); Thread.Sleep(600000); break;
			case "aggregate": All(); break;
			case "generic": new Box<string>().Put(Mode, 5L); break;
			case "genericvalue": new Box<int>().Put(5, new Worker()); break;
			case "emit": Emit(); break;
			case "silent": throw new SilentException();
			case "index": int[] few = new int[3]; few[Mode.Length] = 1; break;
			case "cast": object what = Mode; Console.WriteLine(((Worker)what).Mode); break;
			case "big": Fill(900); Orders.Process(40); break;
			case "hang": Console.WriteLine("waiting"); Thread.Sleep(600000); break;
			case "caughthang": try { Orders.Process(40); } catch (Exception e) { Console.Error.WriteLine(Oracle.Tell(e)); Console.WriteLine("waiting"); Thread.Sleep(600000); } break;
			default: Orders.Process(40); break;
			}
		}

		static int Deep(int n) { return Deep(n + 1) + n; }

		static void FailFast() {
			try { Orders.Load(41); } catch (Exception e) { Environment.FailFast("kudump failfast with a cause", e); }
		}

		static void All() {
			Task one = Task.Run(delegate { Orders.Load(40); });
			Task two = Task.Run(delegate { Orders.Process(41); });
			Task.WaitAll(one, two);
		}

		// A method made at run time calls Load: its trace has a frame without a type.
		static void Emit() {
			DynamicMethod made = new DynamicMethod("MadeHere", typeof(int), new Type[] { typeof(int) }, typeof(Worker).Module);
			ILGenerator il = made.GetILGenerator();
			il.Emit(OpCodes.Ldarg_0);
			il.Emit(OpCodes.Call, typeof(Orders).GetMethod("Load"));
			il.Emit(OpCodes.Ldarg_0);
			il.Emit(OpCodes.Ret);
			((Func<int, int>)made.CreateDelegate(typeof(Func<int, int>)))(41);
		}

		static List<byte[]> kept = new List<byte[]>();

		static void Fill(int mebibytes) {
			Random random = new Random(1);
			for (int i = 0; i < mebibytes; i++) { kept.Add(new byte[1 << 20]); random.NextBytes(kept[i]); }
		}
	}

	public static class Oracle {
		[DllImport("libc.so.6")] static extern int gettid();
		[DllImport("kernel32.dll")] static extern int GetCurrentThreadId();

		static void Quote(StringBuilder to, string text) {
			if (text == null) { to.Append("null"); return; }
			to.Append('"');
			foreach (char c in text)
				if (c < ' ' || c > '~' || c == '"' || c == '\\') to.Append("\\u" + ((int)c).ToString("x4")); else to.Append(c);
			to.Append('"');
		}

		static string Name(MethodBase method) {
			Type type = method.DeclaringType;
			if (type == null) return method.Name;
			return (type.IsGenericType ? type.GetGenericTypeDefinition() : type).FullName + "." + method.Name;
		}

		static string RawMessage(Exception e) {
			FieldInfo field = typeof(Exception).GetField("_message", BindingFlags.Instance | BindingFlags.NonPublic);
			return field == null ? e.Message : (string)field.GetValue(e);
		}

		static void Add(StringBuilder to, Exception e) {
			to.Append("{\"type\":");
			Type type = e.GetType();
			Quote(to, (type.IsGenericType ? type.GetGenericTypeDefinition() : type).FullName);
			to.Append(",\"message\":");
			Quote(to, RawMessage(e));
			to.Append(",\"shown\":");
			Quote(to, e.Message);
			to.Append(",\"hresult\":\"0x" + e.HResult.ToString("x8") + "\",\"frames\":[");
			StackFrame(to, e);
			to.Append(']');
			if (e.InnerException != null) { to.Append(",\"inner\":"); Add(to, e.InnerException); }
			to.Append('}');
		}

		static void StackFrame(StringBuilder to, Exception e) {
			string between = "";
			foreach (System.Diagnostics.StackFrame frame in new System.Diagnostics.StackTrace(e, false).GetFrames()) {
				MethodBase method = frame.GetMethod();
				to.Append(between);
				Quote(to, method == null ? null : Name(method));
				between = ",";
			}
		}

		public static string Tell(Exception e) {
			StringBuilder to = new StringBuilder("oracle {\"thread\":");
			to.Append(System.IO.Path.DirectorySeparatorChar == '\\' ? GetCurrentThreadId() : gettid());
			to.Append(",\"runtime\":");
			Quote(to, Environment.Version.ToString());
			to.Append(",\"exception\":");
			Add(to, e);
			return to.Append('}').ToString();
		}
	}

	public static class Program {
		public static int Main(string[] args) {
			AppDomain.CurrentDomain.UnhandledException += delegate(object from, UnhandledExceptionEventArgs what) {
				Console.Error.WriteLine(Oracle.Tell((Exception)what.ExceptionObject));
			};
			Worker w = new Worker();
			w.Mode = args.Length > 0 ? args[0] : "throw";
			Thread idle = new Thread(new ThreadStart(delegate { Thread.Sleep(600000); }));
			idle.IsBackground = true;
			idle.Start();
			Thread t = new Thread(new ThreadStart(w.Run));
			t.Start();
			t.Join();
			return 0;
		}
	}
}
