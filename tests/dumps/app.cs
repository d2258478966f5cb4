// SPDX-License-Identifier: MIT
// Ends in the way its first argument names: throw, nullref, so, failfast, hang, caughthang.
using System;
using System.Threading;
namespace Shop {
  public class OrderException : Exception {
    public OrderException(string m, Exception inner) : base(m, inner) { HResult = unchecked((int)0x80131999); }
  }
  public static class Orders {
    public static void Load(int id) { if (id == 42) throw new InvalidOperationException("order " + id.ToString() + " has no customer \u00e9\u4e2d"); Load(id + 1); }
    public static void Process(int id) {
      try { Load(id); } catch (InvalidOperationException e) { throw new OrderException("could not process order", e); }
    }
  }
  public class Worker {
    public string Mode;
    public void Run() {
      if (Mode == "nullref") { string s = null; Console.WriteLine(s.Length.ToString()); }
      else if (Mode == "so") { Deep(0); }
      else if (Mode == "failfast") { Environment.FailFast("kudump failfast message"); }
      else if (Mode == "hang") { Thread.Sleep(600000); }
      else if (Mode == "caughthang") { try { Orders.Process(40); } catch (Exception e) { Console.WriteLine(e.ToString()); Thread.Sleep(600000); } }
      else Orders.Process(40);
    }
    static int Deep(int n) { return Deep(n + 1) + n; }
  }
  public static class Program {
    public static int Main(string[] args) {
      Worker w = new Worker(); w.Mode = args.Length > 0 ? args[0] : "throw";
      Thread idle = new Thread(new ThreadStart(delegate { Thread.Sleep(600000); })); idle.IsBackground = true; idle.Start();
      Thread t = new Thread(new ThreadStart(w.Run)); t.Start(); t.Join();
      return 0;
    }
  }
}
