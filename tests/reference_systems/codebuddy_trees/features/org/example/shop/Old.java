package org.example.shop;

import java.util.Enumeration;
import java.util.Hashtable;
import java.util.Iterator;
import java.util.Vector;

/** Java as it was written before generics. */
public class Old extends Vector implements Runnable {
    private Hashtable table = new Hashtable();
    int values[] = new int[3], more = 2;
    protected Object lock;

    public void run() {
        for (Enumeration e = table.elements(); e.hasMoreElements();) {
            Object next = e.nextElement();
            add(next.toString());
        }
        for (Iterator it = iterator(); it.hasNext();) {
            String s = (String) it.next();
            table.put(s, new Integer(s.length()));
        }
        new Thread(new Runnable() {
            public void run() {
                Old.this.run();
                elements();
                values[0] = more = size();
            }
        }).start();
    }

    public synchronized boolean add(Object o) {
        do {
            if (super.contains(o)) return false; else break;
        } while (more-- > 0);
        return super.add(o);
    }

    public Object clone() {
        Old copy = (Old) super.clone();
        copy.lock = values.clone();
        return copy;
    }
}
