"""Models: public names, and who answers on them."""

from uuid import UUID

from sqlalchemy import Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.adapters import AdapterFile, Route
from shared.db.tables import AdapterRow, GateReportRow, ModelRow, PromotionRow


def _route(model: ModelRow, adapter: AdapterRow | None) -> Route:
    return Route(
        tenant_id=model.tenant_id,
        model_id=model.id,
        name=model.name,
        base=model.base,
        adapter=adapter_file(adapter, model.base) if adapter else None,
    )


def adapter_file(row: AdapterRow, base: str) -> AdapterFile:
    """The contract of a row."""
    return AdapterFile(
        id=row.id,
        version=row.version,
        engine_name=row.engine_name,
        sha256=row.sha256,
        path=row.path,
        base=base,
    )


def _routes() -> Select[ModelRow, AdapterRow]:
    return select(ModelRow, AdapterRow).outerjoin(
        AdapterRow, AdapterRow.id == ModelRow.active_adapter_id
    )


class ModelStore:
    """SQL of models and their pointers."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def route(self, tenant_id: UUID, name: str) -> Route | None:
        """Who answers on a public name of this tenant."""
        statement = _routes().where(ModelRow.tenant_id == tenant_id, ModelRow.name == name)
        found = (await self._session.execute(statement)).first()
        return _route(*found) if found else None

    async def route_of(self, model_id: UUID) -> Route:
        """Who answers on a model."""
        found = (await self._session.execute(_routes().where(ModelRow.id == model_id))).one()
        return _route(*found)

    async def names(self, tenant_id: UUID) -> list[Route]:
        """The tenant's models by name."""
        statement = _routes().where(ModelRow.tenant_id == tenant_id).order_by(ModelRow.name)
        return [_route(*found) for found in await self._session.execute(statement)]

    async def all_ids(self) -> list[UUID]:
        """Every model."""
        return list(await self._session.scalars(select(ModelRow.id).order_by(ModelRow.id)))

    async def active(self) -> list[Route]:
        """Who answers on every model."""
        return [_route(*found) for found in await self._session.execute(_routes())]

    async def to_serve(self) -> list[Route]:
        """The active adapter of every model, and those that may be next.

        Those are the adapter that a rollback would return to, and the newest gated one.
        """
        newest = (
            select(func.max(AdapterRow.version))
            .join(GateReportRow, GateReportRow.adapter_id == AdapterRow.id)
            .where(
                AdapterRow.model_id == ModelRow.id,
                GateReportRow.passed,
                AdapterRow.erased_at.is_(None),
            )
            .scalar_subquery()
        )
        before = (
            select(PromotionRow.from_adapter_id)
            .where(
                PromotionRow.model_id == ModelRow.id,
                PromotionRow.to_adapter_id == ModelRow.active_adapter_id,
                PromotionRow.kind == "promotion",
            )
            .order_by(PromotionRow.id.desc())
            .limit(1)
            .scalar_subquery()
        )
        statement = select(ModelRow, AdapterRow).join(
            AdapterRow,
            or_(
                AdapterRow.id == ModelRow.active_adapter_id,
                (AdapterRow.id == before) & AdapterRow.erased_at.is_(None),
                (AdapterRow.model_id == ModelRow.id) & (AdapterRow.version == newest),
            ),
        )
        return [_route(*found) for found in await self._session.execute(statement)]
