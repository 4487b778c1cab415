import { OrderForm } from "./order-form";

export default function Page() {
  return (
    <main>
      <h1>Shop</h1>
      <OrderForm />
    </main>
  );
}
